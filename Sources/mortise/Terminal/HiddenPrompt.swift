import Glibc

/// Asks for a secret on the controlling terminal, showing nothing of what is typed.
enum HiddenPrompt {
    /// Why no secret was read.
    enum Fault: Error {
        /// There is no controlling terminal.
        case noTerminal
        /// Ctrl-C, or Ctrl-D before anything was typed.
        case interrupted
    }

    /// The longest line; tokens and session tokens are far shorter.
    static let limit = 4096

    /// Asks and reads one line.
    ///
    /// The terminal is read key by key, with its signals off: a signal that ended the process here would leave the
    /// terminal without echo.
    static func read(_ prompt: String) async throws -> String {
        try await Blocking.run {
            let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC)
            guard terminal >= 0 else { throw Fault.noTerminal }
            defer { close(terminal) }
            var saved = termios()
            guard tcgetattr(terminal, &saved) == 0 else { throw Fault.noTerminal }
            var silent = saved
            silent.c_lflag &= ~UInt32(ECHO | ICANON | ISIG | IEXTEN)
            // The line is silenced before the prompt appears, so that nothing typed in answer to it is echoed.
            guard tcsetattr(terminal, TCSANOW, &silent) == 0 else { throw Fault.noTerminal }
            defer {
                tcsetattr(terminal, TCSANOW, &saved)
                FileAccess.writeAll(Array("\n".utf8), to: terminal)
            }
            FileAccess.writeAll(Array(prompt.utf8), to: terminal)
            return try line(from: terminal)
        }
    }

    private static func line(from terminal: CInt) throws -> String {
        var bytes: [UInt8] = []
        while bytes.count < limit {
            var byte: UInt8 = 0
            guard Glibc.read(terminal, &byte, 1) == 1 else { throw Fault.interrupted }
            switch byte {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): return String(decoding: bytes, as: UTF8.self)
            case 0x03: throw Fault.interrupted
            case 0x04:
                if bytes.isEmpty { throw Fault.interrupted }
                return String(decoding: bytes, as: UTF8.self)
            case 0x08, 0x7F: _ = bytes.popLast()
            case 0x15: bytes = []
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
