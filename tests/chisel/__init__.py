"""Generated slices in the hands of the real chisel: an archive to cut from, cuts, and what they are held against."""
