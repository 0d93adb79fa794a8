import Glibc

/// A prompt for a secret on the controlling terminal, which does not show what is typed.
enum HiddenPrompt {
    private enum Fault: Error {
        /// The process has no controlling terminal.
        case noTerminal
        /// Ctrl-C was typed, or Ctrl-D before anything else.
        case interrupted
    }

    /// The maximum length of a line in bytes, far more than a token has.
    static let limit = 4096

    /// Asks and reads one line.
    ///
    /// - Parameters:
    ///   - prompt: The text before the cursor.
    ///   - missing: The failure to throw if there is no terminal.
    /// - Returns: The line without its line break.
    /// - Throws: `missing`, or `CommandFailure` of kind `interrupted` after Ctrl-C.
    static func ask(_ prompt: String, orThrow missing: CommandFailure) async throws -> String {
        do {
            return try await Blocking.run { try read(prompt) }
        } catch Fault.noTerminal {
            throw missing
        } catch Fault.interrupted {
            throw CommandFailure(.interrupted, "Interrupted. Nothing was sent.")
        }
    }

    /// Reads the line key by key, with the terminal's signals off.
    ///
    /// A signal that ended the process here would leave the terminal without echo.
    private static func read(_ prompt: String) throws -> String {
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else { throw Fault.noTerminal }
        defer { close(terminal) }
        var saved = termios()
        guard tcgetattr(terminal, &saved) == 0 else { throw Fault.noTerminal }
        var silent = saved
        silent.c_lflag &= ~UInt32(ECHO | ICANON | ISIG | IEXTEN)
        // Echo ends before the prompt appears, so that no key that answers the prompt is shown.
        guard tcsetattr(terminal, TCSANOW, &silent) == 0 else { throw Fault.noTerminal }
        defer {
            tcsetattr(terminal, TCSANOW, &saved)
            FileAccess.writeAll(Array("\n".utf8), to: terminal)
        }
        FileAccess.writeAll(Array(prompt.utf8), to: terminal)
        return try line(from: terminal)
    }

    private static func line(from terminal: CInt) throws -> String {
        var bytes: [UInt8] = []
        while bytes.count < limit {
            var byte: UInt8 = 0
            guard Glibc.read(terminal, &byte, 1) == 1 else { throw Fault.interrupted }
            switch byte {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): return String(decoding: bytes, as: UTF8.self)
            // Ctrl-C.
            case 0x03: throw Fault.interrupted
            // Ctrl-D.
            case 0x04:
                if bytes.isEmpty { throw Fault.interrupted }
                return String(decoding: bytes, as: UTF8.self)
            // Backspace and Delete.
            case 0x08, 0x7F: _ = bytes.popLast()
            // Ctrl-U.
            case 0x15: bytes = []
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
