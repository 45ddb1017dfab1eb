"""File capabilities as capabilities(7) and getcap(8) write them."""

from __future__ import annotations

import struct

_WORDS = (
    "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service "
    "net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin "
    "sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override "
    "mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore"
)
_NAMES = tuple(_WORDS.split())
"""By bit (linux/capability.h)."""
_EFFECTIVE = 1
_PAIRS = {1: 1, 2: 2, 3: 2}
"""Words of 32 bits for each set, by revision of `struct vfs_cap_data`."""


def capability_text(value: bytes) -> str:
    """`cap_net_raw=ep` of the value of `security.capability`, several sets by blanks; `none` where it is empty.

    A value in another form is shown as hexadecimal digits.
    """
    if not value:
        return "none"
    try:
        (magic,) = struct.unpack_from("<I", value)
        words = struct.unpack_from(f"<{2 * _PAIRS[magic >> 24]}I", value, 4)
    except (struct.error, KeyError):
        return value.hex()
    permitted, inheritable = (sum(word << 32 * place for place, word in enumerate(words[start::2])) for start in (0, 1))
    effective = "e" if magic & _EFFECTIVE else ""
    sets: dict[str, list[str]] = {}
    for bit in range(64):
        flags = "p" * (permitted >> bit & 1) + "i" * (inheritable >> bit & 1)
        if flags:
            name = f"cap_{_NAMES[bit]}" if bit < len(_NAMES) else str(bit)
            sets.setdefault(effective + flags, []).append(name)
    return " ".join(f"{','.join(names)}={flags}" for flags, names in sorted(sets.items())) or "none"
