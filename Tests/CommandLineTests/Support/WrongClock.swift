import Subprocess
import TestSupport
import Testing

/// A wall clock that is off, for one program.
enum WrongClock {
    /// A library that the system loads before the C library.
    ///
    /// The other clocks are right, as on a machine whose time was set wrong.
    private static let source = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <stdlib.h>
        #include <sys/time.h>
        #include <time.h>

        static time_t offset(void) { return atol(getenv("WRONG_CLOCK_SECONDS")); }

        int clock_gettime(clockid_t id, struct timespec *time) {
            static int (*real)(clockid_t, struct timespec *);
            if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
            int result = real(id, time);
            if (!result && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) time->tv_sec += offset();
            return result;
        }

        int gettimeofday(struct timeval *restrict time, void *restrict zone) {
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            time->tv_sec = now.tv_sec;
            time->tv_usec = now.tv_nsec / 1000;
            return 0;
        }

        time_t time(time_t *time) {
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            if (time) *time = now.tv_sec;
            return now.tv_sec;
        }
        """

    /// Compiles the library into a folder, and returns the variables of a program whose clock is off by some seconds.
    static func variables(_ seconds: Int, in folder: String) async throws -> [String: String] {
        let library = "\(folder)/clock.so"
        TemporaryFolder.write(source, to: "\(folder)/clock.c")
        let result = try await Subprocess.run(
            .name("gcc"),
            arguments: ["-shared", "-fPIC", "-o", library, "\(folder)/clock.c", "-ldl"],
            output: .discarded,
            error: .string(limit: 65_536)
        )
        try #require(result.terminationStatus.isSuccess, "\(result.standardError)")
        return ["LD_PRELOAD": library, "WRONG_CLOCK_SECONDS": "\(seconds)"]
    }
}
