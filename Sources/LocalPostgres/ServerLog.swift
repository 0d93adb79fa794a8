import FoundationEssentials
import Glibc

/// The file that the server writes its messages to.
struct ServerLog: Sendable {
    /// When the file is longer, it is moved to `postgres.log.1`, which it replaces.
    static let maximumSize = 8 << 20

    let path: String

    var size: Int { SystemCall.status(path).map { Int($0.st_size) } ?? 0 }

    /// Moves the contents away when there are too many.
    ///
    /// The server keeps its descriptor, so the contents are copied and the file is emptied; it writes with `O_APPEND` and goes on
    /// at the new end. A line written in between may be lost.
    func bound() {
        guard size > Self.maximumSize else { return }
        let previous = path + ".1"
        try? FileManager.default.removeItem(atPath: previous)
        try? FileManager.default.copyItem(atPath: path, toPath: previous)
        truncate(path, 0)
    }

    /// Keeps the file short until the task is cancelled.
    func keepBounded() -> Task<Void, Never> {
        Task {
            while (try? await Task.sleep(for: .seconds(60))) != nil {
                bound()
            }
        }
    }

    /// What was written after a position, at most the last 4 KiB.
    func text(from position: Int) -> String {
        guard let file = try? Data(contentsOf: URL(filePath: path)) else { return "" }
        let new = file.dropFirst(position)
        return String(decoding: new.suffix(4096), as: UTF8.self)
    }
}
