# Sourced, not run: lets the databases of tests live in memory.

# Creating a database makes 300 files, and ext4 looks for a free inode past every one that was deleted in the last five minutes
# (recently_deleted in fs/ext4/ialloc.c): CREATE DATABASE took 99 s of the processors in a run of the suite, and 21 s in memory. The tests
# were seen to need 250 MB at a time. Scripts also load libraries from their temporary folder, which a mount with noexec refuses.
if [[ -z ${TMPDIR:-} && $(stat --file-system --format=%T /dev/shm 2>/dev/null) == tmpfs && -w /dev/shm ]] &&
    ! grep -q '^[^ ]* /dev/shm [^ ]* [^ ]*noexec' /proc/mounts; then
    if (($(df --output=avail -k /dev/shm | tail -n 1) > 4 * 1024 * 1024 && $(sed -n 's/^MemAvailable: *\([0-9]*\) kB$/\1/p' /proc/meminfo) > 8 * 1024 * 1024)); then
        export TMPDIR=/dev/shm
    fi
fi
