import FoundationEssentials
import Glibc

/// The folder of one local server and what is in it.
///
/// The folder itself belongs to this process's user. When that is root, the server's account owns only what the server writes, so
/// nothing the server could plant is ever followed or overwritten with root's rights.
struct ServerFolder: Sendable {
    let path: String

    /// The cluster: complete, or absent.
    var data: String { "\(path)/data" }
    /// Clusters in the making; whatever has this prefix is left over unless the start lock is held.
    var unfinishedPrefix: String { "data.new-" }
    /// The folder of the Unix socket, unless its path is too long.
    var socket: String { "\(path)/socket" }
    /// Names the folder of the socket when it had to be somewhere else.
    var socketRecord: String { "\(path)/socket-folder" }
    /// The configuration that the server reads, written at every start.
    var settings: String { "\(path)/settings.conf" }
    var log: String { "\(path)/postgres.log" }
    /// Held exclusively by whoever makes or starts the server.
    var startLock: String { "\(path)/start.lock" }
    /// Held by initdb itself, which outlives a program that is killed.
    var makingLock: String { "\(path)/\(makingLockName)" }
    var makingLockName: String { "making.lock" }
    /// Held shared by everyone who uses the server.
    var usersLock: String { "\(path)/users.lock" }
    /// Held by the one watcher.
    var watcherLock: String { "\(path)/watcher.lock" }

    /// Whether a complete cluster is there.
    var hasCluster: Bool { SystemCall.status("\(data)/PG_VERSION") != nil }

    /// Creates the folder where it is missing and makes sure that the server's account can reach it.
    ///
    /// A link at `directory` is followed. When this process is root and the account may not enter a folder above it, the
    /// folder is made in `fallback`, if that is given, and `directory` becomes a link to it.
    static func prepare(_ directory: String, account: ServerAccount, fallback: String?) async throws -> ServerFolder {
        if let existing = SystemCall.resolve(directory) {
            try await checkReachable(existing, account: account)
            return try ServerFolder(path: existing).prepared(account)
        }
        guard SystemCall.status(directory) == nil else {
            throw LocalPostgresError(
                .unusableFolder,
                "\(directory) is a link that leads nowhere; bring its target back, or remove the link to begin with an empty database"
            )
        }
        let parent = try makeParents(of: directory)
        do {
            try await checkReachable(parent, account: account)
            try SystemCall.makeFolder(directory, mode: account.isOther ? 0o711 : 0o700)
        } catch let error as LocalPostgresError where error.code == .unusableFolder {
            guard let fallback, account.isOther else { throw error }
            try await makeLinked(directory, in: fallback, account: account)
        }
        guard let path = SystemCall.resolve(directory) else {
            throw LocalPostgresError(.unusableFolder, "the folder \(directory) disappeared while it was being prepared")
        }
        return try ServerFolder(path: path).prepared(account)
    }

    /// Removes the folder and everything in it; the watcher may be removing it too.
    func remove() throws {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            guard SystemCall.status(path) != nil else { return }
            try FileManager.default.removeItem(atPath: path)
        }
    }

    private func prepared(_ account: ServerAccount) throws -> ServerFolder {
        let log = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard log >= 0 else { throw LocalPostgresError.systemCall("open \(self.log)", errno) }
        close(log)
        try account.takeOwnership(of: self.log)
        return self
    }

    /// Creates the folders above a path, so that others may pass through them.
    private static func makeParents(of directory: String) throws -> String {
        let absolute = directory.hasPrefix("/") ? directory : "\(FileManager.default.currentDirectoryPath)/\(directory)"
        let names = absolute.split(separator: "/").dropLast()
        var parent = ""
        for name in names {
            parent += "/\(name)"
            if SystemCall.status(parent) == nil { try SystemCall.makeFolder(parent, mode: 0o755) }
        }
        return SystemCall.resolve(parent) ?? "/"
    }

    private static func makeLinked(_ directory: String, in fallback: String, account: ServerAccount) async throws {
        let parent = try makeParents(of: "\(fallback)/folder")
        try await checkReachable(parent, account: account)
        let target = try SystemCall.makeUniqueFolder(prefix: "\(parent)/cluster-")
        try SystemCall.changeMode(target, 0o711)
        if symlink(target, directory) != 0 {
            let number = errno
            rmdir(target)
            // Another process made the link first: its folder is the one to use.
            guard number == EEXIST else {
                throw LocalPostgresError.systemCall("link \(directory) to \(target)", number)
            }
        }
    }

    /// Asks the account itself, folder by folder: only the kernel knows every rule, access control lists included.
    private static func checkReachable(_ path: String, account: ServerAccount) async throws {
        guard account.isOther else { return }
        let names = path.split(separator: "/")
        let folders = names.indices.map { "/" + names[...$0].joined(separator: "/") }
        let script = #"for folder; do test -x "$folder" || { printf %s "$folder"; exit 1; }; done"#
        let outcome = try await ServerCommand(
            arguments: account.command(["sh", "-c", script, "sh"] + folders),
            folder: "/"
        )
        .run(timeout: .seconds(10))
        guard !outcome.succeeded else { return }
        throw LocalPostgresError(
            .unusableFolder,
            """
            PostgreSQL does not run as root, so it runs as the user \(account.name), who may not enter \(outcome.output). \
            Choose a data folder elsewhere (MORTISE_DATA, for example /var/lib/mortise), allow it (chmod o+x \
            \(outcome.output)), or run this program as an ordinary user.
            """
        )
    }
}
