import FoundationEssentials
import Glibc

/// The folder of the server's Unix socket.
struct SocketFolder: Sendable {
    /// The maximum length of the path: `sun_path` holds 107 bytes and a zero on Linux, and PostgreSQL adds `/.s.PGSQL.5432`.
    static let maximumLength = 107 - "/.s.PGSQL.5432".utf8.count

    let folder: ServerFolder
    let account: ServerAccount

    /// Returns the folder, and creates it if it does not exist.
    ///
    /// Its mode is 0700, and its owner is the server's account.
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

    /// Removes the folder if it is outside of the server's folder.
    ///
    /// The server must have stopped.
    func removeRecorded() {
        guard let recorded = try? String(contentsOfFile: folder.socketRecord, encoding: .utf8), isOurs(recorded) else {
            return
        }
        rmdir(recorded)
    }

    /// Returns true if a process accepts connections on the server's socket in a folder.
    static func answers(_ folder: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array("\(folder)/.s.PGSQL.\(LocalPostgres.port)".utf8)
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        // Without blocking: if the queue of connections is full, the answer is no for now.
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
                "\(path) must be a folder of the user \(account.name) that no other user can enter (mode 0700); correct or remove it"
            )
        }
    }

    /// Returns true if only the server's account can create a socket in the folder.
    private func isOurs(_ path: String) -> Bool {
        guard let status = SystemCall.status(path) else { return false }
        return status.st_mode & S_IFMT == S_IFDIR && status.st_uid == account.userID && status.st_mode & 0o077 == 0
    }

    /// Returns `TMPDIR` if it is short enough, else `/tmp`.
    private static func temporaryFolder() -> String {
        let chosen = ProcessInfo.processInfo.environment["TMPDIR"] ?? ""
        return chosen.hasPrefix("/") && chosen.utf8.count + "/mortise-XXXXXX".utf8.count <= maximumLength
            ? chosen : "/tmp"
    }
}
