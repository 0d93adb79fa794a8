import CLinux

/// The memory that the program has freed and the system does not have back yet.
enum FreedMemory {
    /// Gives each block of 128 KiB or more back to the system when it is freed.
    ///
    /// glibc raises that limit by itself to the size of the largest block that was freed, up to 32 MiB, and keeps twice as much at the end
    /// of the heap, unless a program sets it (mallopt(3), `M_MMAP_THRESHOLD`). The tables of a second with many keys would then stay in the
    /// heap, with gaps between them (docs/performance.md has the figures).
    static func returnLargeBlocks() { _ = mallopt(M_MMAP_THRESHOLD, 128 * 1024) }
}
