"""Selecting packages: what is needed, what is excluded, what comes first, and why there is no answer."""

from __future__ import annotations

import dataclasses

import pytest

from pruner.candidate import Candidate
from pruner.errors import EntryError, UsageError
from pruner.select import Objective, Prefer, Selection, SelectRequest, Status, select
from pruner.select.lock import lock_of
from tests.universes import ListIndex, apk_package, apk_universe, package, universe


def selected(entries: str, *candidates: Candidate, **options) -> Selection:
    return select(SelectRequest(entries=tuple(entries.split()), **options), universe(*candidates))


def names(selection: Selection) -> str:
    return " ".join(one.name for one in selection.packages)


def test_what_is_needed_is_selected_and_nothing_else():
    found = selected(
        "deb:a", package("a", 1, depends="b", pre_depends="c"), package("b", 2), package("c", 4), package("x")
    )
    assert (names(found), found.installed_kib, found.status) == ("a b c", 7, Status.OPTIMAL)
    assert found.considered == 3
    assert found.choices == ()


def test_dependency_cycles_are_selected_whole():
    assert (
        names(selected("deb:a", package("a", depends="b"), package("b", depends="c"), package("c", depends="a")))
        == "a b c"
    )


def test_the_smaller_alternative_wins_with_all_that_it_needs():
    """c alone is smaller than b, not so with d."""
    packages = (package("a", depends="b | c"), package("b", 5), package("c", 3, depends="d"), package("d", 3))
    found = selected("deb:a", *packages)
    assert names(found) == "a b"
    (choice,) = found.choices
    assert choice.needed_by == (("deb:a", "b | c"),)
    assert [one.name for one in choice.chosen] == ["b"]
    assert [(one.package.name, one.delta_kib) for one in choice.others] == [("c", 1)]


def test_an_alternative_that_something_else_needs_is_no_choice():
    found = selected(
        "deb:a", package("a", depends="b | c, d"), package("b"), package("c", 9), package("d", depends="c")
    )
    assert (names(found), found.choices) == ("a c d", ())


def test_an_alternative_that_is_excluded_is_not_possible():
    packages = (package("a", depends="b | c | d"), package("b"), package("c", conflicts="a"), package("d", 3))
    (choice,) = selected("deb:a", *packages).choices
    assert [(one.package.name, one.delta_kib) for one in choice.others] == [("c", None), ("d", 2)]


def test_an_alternative_that_needs_what_is_excluded_is_not_possible():
    packages = (
        package("a", depends="b | c"),
        package("b"),
        package("c", depends="d | e"),
        package("d", depends="x"),
        package("e", depends="y"),
        package("x", conflicts="a"),
        package("y", conflicts="b", depends="b"),
    )
    (choice,) = selected("deb:a", *packages).choices
    assert [(one.package.name, one.delta_kib) for one in choice.others] == [("c", None)]


def test_equal_needs_of_several_packages_are_one_choice():
    packages = (package("a", depends="x | y, b"), package("b", depends="x | y"), package("x"), package("y", 2))
    (choice,) = selected("deb:a", *packages).choices
    assert choice.needed_by == (("deb:a", "x | y"), ("deb:b", "x | y"))


def test_a_provider_answers_and_only_with_a_version_where_one_is_asked_for():
    virtual = (package("p", provides="v"), package("q", 2, provides="v (= 3)"))
    assert names(selected("deb:a", package("a", depends="v"), *virtual)) == "a p"
    assert names(selected("deb:a", package("a", depends="v (>= 2)"), *virtual)) == "a q"


def test_conflicts_and_breaks_exclude_also_through_provides_but_never_a_package_itself():
    packages = (package("a", depends="v", provides="v", conflicts="v"), package("b", provides="v"))
    assert names(selected("deb:a", *packages)) == "a"
    assert selected("deb:a deb:b", *packages).status is Status.UNSATISFIABLE


def test_two_versions_of_a_package_exclude_each_other_and_the_newest_is_taken_though_larger():
    packages = (package("a", 1, version="1"), package("a", 9, version="2"))
    assert [one.version for one in selected("deb:a", *packages).packages] == ["2"]
    assert [one.version for one in selected("deb:a=1", *packages).packages] == ["1"]
    assert selected("deb:a=1 deb:a=2", *packages).conflict == (
        "deb:a=1 is asked for",
        "deb:a=2 is asked for",
        "deb:a 1 (amd64) and 2 (amd64) are one package",
    )


def test_an_older_version_is_taken_where_it_must_be():
    packages = (package("a", depends="b (<< 2)"), package("b", version="1"), package("b", version="2"))
    assert [one.version for one in selected("deb:a", *packages).packages] == ["1", "1"]


def test_the_native_architecture_is_meant_and_comes_before_size():
    """A foreign package may answer (Multi-Arch: foreign), but is taken only where nothing native does."""
    foreign = dataclasses.replace(package("b", 1, architecture="arm64"), multi_arch="foreign")
    packages = (package("a", 9, depends="b"), package("a", 1, architecture="arm64"), foreign)
    found = selected("deb:a", *packages, package("b", 5))
    assert [(one.name, one.architecture) for one in found.packages] == [("a", "amd64"), ("b", "amd64")]
    found = selected("deb:a", *packages)
    assert [(one.name, one.architecture) for one in found.packages] == [("a", "amd64"), ("b", "arm64")]
    assert names(selected("pkg:deb/debian/a?arch=arm64", *packages)) == "a"
    with pytest.raises(EntryError, match="not in that version or architecture"):
        selected("deb:c", package("c", architecture="arm64"))


def test_count_can_come_before_size():
    packages = (package("a", depends="b | c"), package("b", 9), package("c", 1, depends="d"), package("d", 1))
    assert names(selected("deb:a", *packages)) == "a c d"
    found = selected("deb:a", *packages, objective=Objective.COUNT)
    assert names(found) == "a b"
    assert found.choices[0].others[0].delta_kib == -7


def test_download_size_can_come_before_installed_size():
    packages = (package("a", depends="b | c"), package("b", 1, download=9), package("c", 2, download=1))
    found = selected("deb:a", *packages, objective=Objective.DOWNLOAD)
    assert (names(found), found.download_bytes) == ("a c", 1)


def test_real_packages_can_come_before_providers_of_their_name():
    packages = (package("a", depends="v"), package("v", 9), package("p", 1, provides="v"))
    assert names(selected("deb:a", *packages)) == "a p"
    assert names(selected("deb:a", *packages, prefer=Prefer.REAL)) == "a v"


def test_of_equal_sets_the_one_without_a_provider_wins():
    packages = (package("a", depends="v"), package("v", 1), package("p", 1, provides="v"))
    assert names(selected("deb:a", *packages)) == "a v"


def test_of_sets_that_nothing_else_tells_apart_the_first_by_name_wins():
    packages = [package("a", depends="z | m | k"), package("k"), package("m"), package("z")]
    assert names(selected("deb:a", *packages)) == "a k"
    assert names(selected("deb:a", *reversed(packages))) == "a k"


def test_what_is_installed_can_come_first():
    packages = (package("a", depends="b | c"), package("b", 9), package("c", 1))
    installed = frozenset({("a", "1"), ("b", "1")})
    assert names(selected("deb:a", *packages, prefer=Prefer.INSTALLED, installed=installed)) == "a b"


def test_essential_packages_come_with_a_request():
    packages = (package("a"), package("e", essential=True, depends="f"), package("f"))
    assert names(selected("deb:a", *packages)) == "a"
    assert names(selected("deb:a", *packages, with_essential=True)) == "a e f"


def test_essential_packages_that_no_index_marks_are_not_passed_over():
    """Alpine marks none, nor do repositories beside the distribution: the root would not run its package manager."""
    with pytest.raises(UsageError, match="none of the packages to select from is marked essential"):
        selected("deb:a", package("a"), with_essential=True)


def test_recommendations_are_needed_on_request_as_far_as_they_can_be_had():
    """x excludes a, nothing is called y, and m is met by the smaller n."""
    packages = (
        package("a", recommends="b, x, y, m | n"),
        package("b", depends="c"),
        package("c"),
        package("m", 2),
        package("n"),
        package("x", conflicts="a"),
    )
    assert names(selected("deb:a", *packages)) == "a"
    found = selected("deb:a", *packages, recommends=True)
    assert (names(found), found.unmet) == ("a b c n", ("deb:a recommends x",))
    assert found.status is Status.OPTIMAL


def test_an_unsatisfiable_request_is_explained_by_the_version_that_is_there():
    found = selected("deb:a", package("a", depends="b (>= 2)"), package("b", version="1.4"))
    assert found.status is Status.UNSATISFIABLE
    assert found.packages == ()
    assert found.conflict == ("deb:a is asked for", "deb:a needs b (>= 2), the index has b 1.4")


def test_what_is_not_there_at_all_is_named():
    found = selected("deb:a", package("a", depends="b:any | c (= 1)"), package("d", provides="c"))
    assert found.conflict[-1] == (
        "deb:a needs b:any | c (= 1), the index has no b; in the index only d provides c, in no fitting version"
    )


def test_the_conflict_is_the_smallest_one():
    """Both chains from a end nowhere: the shorter one is told, and nothing beside it."""
    packages = (
        package("a", depends="b, e"),
        package("b", depends="c"),
        package("c", depends="d"),
        package("d", depends="nothing"),
        package("e", depends="f (>= 9)"),
        package("f"),
    )
    assert selected("deb:a", *packages).conflict == (
        "deb:a is asked for",
        "deb:a needs e",
        "deb:e needs f (>= 9), the index has f 1",
    )


def test_a_declared_conflict_is_told_in_its_own_words():
    packages = (package("a", depends="b, c"), package("b"), package("c", breaks="b (<< 3)"))
    assert selected("deb:a", *packages).conflict == (
        "deb:a is asked for",
        "deb:a needs b",
        "deb:a needs c",
        "deb:c breaks b (<< 3)",
    )


def test_an_exclusion_through_a_virtual_name_says_so():
    packages = (package("a", depends="b, c"), package("b", provides="v"), package("c", conflicts="v"))
    assert selected("deb:a", *packages).conflict[-1] == "deb:c conflicts with v, which b provides"


def test_an_entry_may_be_a_virtual_name_or_a_purl():
    packages = (package("a", 2, provides="v"), package("b", 1, provides="v"))
    assert names(selected("deb:v", *packages)) == "b"
    assert names(selected("pkg:deb/debian/a@1?arch=amd64&distro=debian-12", *packages)) == "a"


@pytest.mark.parametrize("entry", ["nginx", "deb:", "/usr/bin/x", "cmd:x", "pkg:nonsense"])
def test_an_entry_that_names_no_package_is_wrong_usage(entry):
    with pytest.raises(UsageError, match="entry"):
        selected(entry, package("nginx"))


def test_an_entry_that_does_not_exist_names_its_neighbours():
    with pytest.raises(EntryError, match="no such package") as raised:
        selected("deb:ngnix", package("nginx"), package("x"))
    assert raised.value.hint == "did you mean nginx?"
    with pytest.raises(EntryError, match="not in that version") as raised:
        selected("deb:nginx=2", package("nginx"))
    assert raised.value.hint == "there is nginx 1 (amd64)"


def test_an_entry_of_another_ecosystem_is_refused():
    with pytest.raises(EntryError, match="of the kind deb"):
        selected("apk:nginx", package("nginx"))


def test_the_order_of_packages_and_entries_changes_nothing():
    packages = [
        package("a", depends="m | n, o | p"),
        package("b", depends="n | p, x"),
        *(package(name) for name in "mnop"),
        package("x", depends="m | o"),
    ]
    first = selected("deb:a deb:b", *packages)
    again = selected("deb:b deb:a", *reversed(packages))
    assert first.packages == again.packages
    assert [choice.chosen for choice in first.choices] == [choice.chosen for choice in again.choices]


def test_a_package_that_two_indexes_list_is_one():
    candidate = package("a", depends="b")
    listed_twice = [ListIndex([candidate, package("b")]), ListIndex([dataclasses.replace(candidate)])]
    from pruner.relations.universe import Universe

    packages = Universe(listed_twice, ecosystem="deb", architecture="amd64")
    found = select(SelectRequest(entries=("deb:a",)), packages)
    assert names(found) == "a b"


def test_a_selection_becomes_a_lock_of_whole_packages():
    lock = lock_of(selected("deb:a", package("a", 7, download=9)), ecosystem="deb", architecture="amd64")
    assert (lock.ecosystem, lock.architecture) == ("deb", "amd64")
    (locked,) = lock.packages
    assert (locked.name, locked.version, locked.installed_kib, locked.download_bytes) == ("a", "1", 7, 9)
    assert locked.paths is None


def selected_apk(entries: str, *candidates: Candidate) -> Selection:
    return select(SelectRequest(entries=tuple(entries.split())), apk_universe(*candidates))


class TestInstalledByItself:
    """Alpine's `install_if`."""

    def test_with_what_it_needs_and_triggers(self):
        """Once each condition is met, in the version that it states; and said why, unless something needs it anyway."""
        found = selected_apk(
            "apk:a apk:docs",
            apk_package("a", version="2"),
            apk_package("docs"),
            apk_package("a-doc", version="2", install_if="docs a=2", depends="man"),
            apk_package("a-doc", version="1", install_if="docs a=1"),
            apk_package("man"),
            apk_package("man-late", install_if="man"),
            apk_package("a-openrc", install_if="a openrc"),
        )
        assert names(found) == "a a-doc docs man man-late"
        assert found.by_itself == (
            "apk:a-doc 2 is installed by itself with apk:docs and apk:a",
            "apk:man-late is installed by itself with apk:man",
        )

    def test_counts_for_the_choice_that_calls_for_it(self):
        """The smaller provider is not the smaller selection."""
        packages = (
            apk_package("a", depends="v"),
            apk_package("b", 3, provides="v"),
            apk_package("c", 1, provides="v"),
            apk_package("c-data", 5, install_if="c"),
        )
        found = selected_apk("apk:a", *packages)
        assert (names(found), found.by_itself) == ("a b", ())
        assert [other.delta_kib for choice in found.choices for other in choice.others] == [3]

    def test_what_is_excluded_stays_out(self):
        """By a package that is there anyway, directly or by way of all that would meet a need; not by one for that."""
        rivals = (apk_package("late", 9, install_if="a", depends="x"), apk_package("x", depends="!a"))
        assert names(selected_apk("apk:a", apk_package("a", depends="!x"), *rivals)) == "a"
        guard = apk_package("guard", depends="!late")
        assert names(selected_apk("apk:a", apk_package("a"), guard, rivals[0], apk_package("x"))) == "a late x"

    def test_what_lacks_a_package_is_no_selection(self):
        """Nor does apk install it without: it says that the package is missing."""
        found = selected_apk("apk:a", apk_package("a"), apk_package("late", install_if="a", depends="gone"))
        assert found.status is Status.UNSATISFIABLE
        assert found.conflict == (
            "apk:a is asked for",
            "apk:late needs gone, the index has no gone",
            "apk:late is installed by itself with apk:a",
        )

    def test_what_excludes_itself_is_not_installed(self):
        found = selected_apk("apk:a", apk_package("a", depends="!v", provides="v"))
        assert found.conflict == ("apk:a is asked for", "apk:a conflicts with v, which a provides")
