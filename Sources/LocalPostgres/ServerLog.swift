import FoundationEssentials
import Glibc

/// The log file of the server.
struct ServerLog: Sendable {
    /// The maximum size, 8 MiB.
    ///
    /// A longer file replaces `postgres.log.1`.
    static let maximumSize = 8 << 20

    let path: String

    /// The size in bytes.
    ///
    /// 0 if there is no file.
    var size: Int { SystemCall.status(path).map { Int($0.st_size) } ?? 0 }

    /// Copies the file to `postgres.log.1` and empties it, if it is too long.
    ///
    /// The server keeps its descriptor and writes with `O_APPEND`, so it continues at the new end. A line that is written
    /// between the copy and the truncation is lost.
    func bound() {
        guard size > Self.maximumSize else { return }
        let previous = path + ".1"
        try? FileManager.default.removeItem(atPath: previous)
        try? FileManager.default.copyItem(atPath: path, toPath: previous)
        truncate(path, 0)
    }

    /// Starts a task that bounds the file every minute until the task is cancelled.
    func keepBounded() -> Task<Void, Never> {
        Task {
            while (try? await Task.sleep(for: .seconds(60))) != nil {
                bound()
            }
        }
    }

    /// Returns the text after a position, at most the last 4 KiB.
    func text(from position: Int) -> String {
        guard let file = try? Data(contentsOf: URL(filePath: path)) else { return "" }
        let new = file.dropFirst(position)
        return String(decoding: new.suffix(4096), as: UTF8.self)
    }
}
