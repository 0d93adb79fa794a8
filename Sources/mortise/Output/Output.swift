import Glibc

/// The standard streams that a command writes to.
enum Output {
    /// Writes a line to standard output.
    ///
    /// Results go there.
    static func line(_ text: String) throws {
        try write(text + "\n", to: STDOUT_FILENO)
    }

    /// Writes text to standard error.
    ///
    /// Messages for people go there.
    static func error(_ text: String, terminator: String = "\n") throws {
        try write(text + terminator, to: STDERR_FILENO)
    }

    /// Writes a line to standard error if that is possible.
    ///
    /// The work that follows must be done also where nobody reads, as after the terminal was closed.
    static func notice(_ text: String) {
        _ = FileAccess.writeAll(Array((text + "\n").utf8), to: STDERR_FILENO)
    }

    private static func write(_ text: String, to descriptor: CInt) throws {
        if FileAccess.writeAll(Array(text.utf8), to: descriptor) { return }
        // A reader such as `head` that stops reading is no failure. A shell reports 141 for SIGPIPE.
        if errno == EPIPE { exit(141) }
        let reason = String(cString: strerror(errno))
        throw CommandFailure(.output, "The output could not be written: \(reason).")
    }
}
