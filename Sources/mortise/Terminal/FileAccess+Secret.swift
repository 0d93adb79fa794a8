import Glibc

extension FileAccess {
    /// Writes a new file that only its owner can read, and flushes it to the disk.
    ///
    /// - Throws: `CommandFailure` if the file exists, or cannot be created or written. No file is left in that case.
    static func writeSecret(_ text: String, to path: String) async throws {
        try await Blocking.run {
            let file = try SecretFile(creating: path)
            try file.finish(text)
        }
    }
}

/// A new file that only its owner can read.
///
/// The file is removed unless it is completed.
struct SecretFile: ~Copyable {
    private let path: String
    private let descriptor: CInt
    private var isFinished = false

    /// Creates the file, empty.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if the file exists or cannot be created.
    init(creating path: String) throws(CommandFailure) {
        do throws(FileAccess.Fault) {
            descriptor = try FileAccess.createSecret(path)
        } catch {
            // The file can hold the only copy of a token or of an installation's secrets, so nothing suggests its removal.
            let advice = error.isExisting ? ["The file was not changed. Name another file."] : []
            throw .usage("\(path) cannot be created: \(error.reason). Nothing was done.", details: advice)
        }
        self.path = path
    }

    deinit {
        if !isFinished { unlink(path) }
        close(descriptor)
    }

    /// Writes the text and flushes it to the disk.
    ///
    /// - Throws: `CommandFailure` of kind `output` if the file cannot be written. The file is removed in that case.
    consuming func finish(_ text: String) throws(CommandFailure) {
        guard FileAccess.writeAll(Array(text.utf8), to: descriptor), fsync(descriptor) == 0 else {
            throw CommandFailure(.output, "\(path) could not be written: \(String(cString: strerror(errno))).")
        }
        isFinished = true
    }
}
