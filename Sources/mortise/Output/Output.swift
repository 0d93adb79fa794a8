import Glibc

/// The two streams that a command writes to.
enum Output {
    /// Writes a line on standard output: what was asked for.
    static func line(_ text: String) throws {
        try write(text + "\n", to: STDOUT_FILENO)
    }

    /// Writes on standard error: what a person is told beside it.
    static func error(_ text: String, terminator: String = "\n") throws {
        try write(text + terminator, to: STDERR_FILENO)
    }

    private static func write(_ text: String, to descriptor: CInt) throws {
        if FileAccess.writeAll(Array(text.utf8), to: descriptor) { return }
        // A reader such as `head` that has seen enough is no failure; 141 is what the shell would report for SIGPIPE.
        if errno == EPIPE { exit(141) }
        let reason = String(cString: strerror(errno))
        throw CommandFailure(.output, "The output could not be written: \(reason).")
    }
}
