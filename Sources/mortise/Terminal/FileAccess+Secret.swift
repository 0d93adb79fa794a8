import Glibc

extension FileAccess {
    /// Writes a new file that only its owner may read, to the disk and not just to its cache.
    ///
    /// - Throws: `CommandFailure` if the file exists, cannot be made, or cannot be written; then there is no file.
    static func writeSecret(_ text: String, to path: String) async throws {
        try await Blocking.run {
            let file = try SecretFile(creating: path)
            try file.finish(text)
        }
    }
}

/// A new file that only its owner may read, which is complete or does not exist.
struct SecretFile: ~Copyable {
    private let path: String
    private let descriptor: CInt
    private var isFinished = false

    /// Makes the file, empty; one that exists is an error.
    init(creating path: String) throws(CommandFailure) {
        do throws(FileAccess.Fault) {
            descriptor = try FileAccess.createSecret(path)
        } catch {
            let advice = error.isExisting ? ["It is left as it is; name another one, or remove it first."] : []
            throw .usage("\(path) cannot be created: \(error.reason). Nothing was done.", details: advice)
        }
        self.path = path
    }

    deinit {
        if !isFinished { unlink(path) }
        close(descriptor)
    }

    /// Writes everything, to the disk and not just to its cache.
    consuming func finish(_ text: String) throws(CommandFailure) {
        guard FileAccess.writeAll(Array(text.utf8), to: descriptor), fsync(descriptor) == 0 else {
            throw CommandFailure(.output, "\(path) could not be written: \(String(cString: strerror(errno))).")
        }
        isFinished = true
    }
}
