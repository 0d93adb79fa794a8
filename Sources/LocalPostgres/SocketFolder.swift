import FoundationEssentials
import Glibc

/// Chooses the folder of the server's Unix socket.
struct SocketFolder: Sendable {
    /// `sun_path` holds 107 bytes and a zero on Linux; PostgreSQL adds `/.s.PGSQL.5432`.
    static let maximumLength = 107 - "/.s.PGSQL.5432".utf8.count

    let folder: ServerFolder
    let account: ServerAccount

    /// The folder, made if need be, with mode 0700 and owned by the server's account.
    func prepare() throws -> String {
        guard folder.socket.utf8.count > Self.maximumLength else {
            try make(folder.socket)
            return folder.socket
        }
        if let recorded = try? String(contentsOfFile: folder.socketRecord, encoding: .utf8), isOurs(recorded) {
            return recorded
        }
        let short = try SystemCall.makeUniqueFolder(prefix: "\(Self.temporaryFolder())/mortise-")
        try account.takeOwnership(of: short)
        try Data(short.utf8).write(to: URL(filePath: folder.socketRecord), options: .atomic)
        return short
    }

    /// Removes a folder that had to be made elsewhere; the server must have stopped.
    func removeRecorded() {
        guard let recorded = try? String(contentsOfFile: folder.socketRecord, encoding: .utf8), isOurs(recorded) else {
            return
        }
        rmdir(recorded)
    }

    /// Whether something accepts connections on the server's socket in a folder.
    static func answers(_ folder: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array("\(folder)/.s.PGSQL.\(LocalPostgres.port)".utf8)
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        // Not blocking: with a full queue of connections the answer is no, for now.
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }

    private func make(_ path: String) throws {
        if SystemCall.status(path) == nil {
            try SystemCall.makeFolder(path, mode: 0o700)
            try account.takeOwnership(of: path)
        }
        guard isOurs(path) else {
            throw LocalPostgresError(
                .unusableFolder,
                "\(path) must be a folder that belongs to the user \(account.name) and that nobody else may enter (mode 0700)"
            )
        }
    }

    /// Whether nobody but the server's account can have put a socket there.
    private func isOurs(_ path: String) -> Bool {
        guard let status = SystemCall.status(path) else { return false }
        return status.st_mode & S_IFMT == S_IFDIR && status.st_uid == account.userID && status.st_mode & 0o077 == 0
    }

    /// `TMPDIR` where that is short enough, else `/tmp`.
    private static func temporaryFolder() -> String {
        let chosen = ProcessInfo.processInfo.environment["TMPDIR"] ?? ""
        return chosen.hasPrefix("/") && chosen.utf8.count + "/mortise-XXXXXX".utf8.count <= maximumLength
            ? chosen : "/tmp"
    }
}
