import Glibc

/// The clock that counts since the start of the machine, with the time in which the machine was suspended.
///
/// It is part of this module because it is a C call, like the rest of the module.
public enum MonotonicClock {
    /// The time since the start of the machine, in nanoseconds.
    public static var nanoseconds: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
