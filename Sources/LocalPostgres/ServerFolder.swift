import FoundationEssentials
import Glibc

/// The folder of one local server, and the paths in it.
///
/// The folder belongs to the user of this process. If that is root, the server's account owns only the files that the server
/// writes. A file that the server created is then never followed or overwritten with the rights of root.
package struct ServerFolder: Sendable {
    let path: String

    /// The data folder.
    ///
    /// It is complete or does not exist.
    package var data: String { "\(path)/data" }
    /// The first characters of a data folder that is not complete.
    ///
    /// Without a holder of the start lock, it is left over.
    package var unfinishedPrefix: String { "data.new-" }
    /// The folder of the Unix socket, unless its path is too long.
    var socket: String { "\(path)/socket" }
    /// A file with the path of the socket's folder, if that is elsewhere.
    var socketRecord: String { "\(path)/socket-folder" }
    /// The configuration file of the server, written at every start.
    var settings: String { "\(path)/settings.conf" }
    /// The log file of the server.
    var log: String { "\(path)/postgres.log" }
    /// The lock that a process holds exclusively while it creates the data or starts the server.
    var startLock: String { "\(path)/start.lock" }
    /// The lock that `initdb` itself holds, because it outlives a process that is killed.
    var creationLock: String { "\(path)/\(creationLockName)" }
    /// The name of that lock in the folder.
    var creationLockName: String { "making.lock" }
    /// The lock that every user of the server holds shared.
    var usersLock: String { "\(path)/users.lock" }
    /// The lock that the processes of the server inherit and hold.
    ///
    /// It also shows a server whose process id belongs to another container.
    var serverLock: String { "\(path)/server.lock" }
    /// The lock that the watcher holds.
    ///
    /// There is one watcher at most.
    var watcherLock: String { "\(path)/watcher.lock" }

    /// True if the data are complete.
    var hasCluster: Bool { SystemCall.status("\(data)/PG_VERSION") != nil }

    /// The major version of PostgreSQL that created the data, or `nil` if there are none, or they cannot be read.
    var version: String? {
        (try? String(contentsOfFile: "\(data)/PG_VERSION", encoding: .utf8))?.filter { !$0.isWhitespace }
    }

    /// Names the paths in a folder.
    package init(path: String) { self.path = path }

    /// Creates the folder if it does not exist, and checks that the server's account can reach it.
    ///
    /// A link at `directory` is followed. If this process is root and the account cannot enter a folder above it, the folder is
    /// created in `fallback`, if that is given, and `directory` becomes a link to it.
    static func prepare(_ directory: String, account: ServerAccount, fallback: String?) async throws -> ServerFolder {
        if let existing = SystemCall.resolve(directory) {
            try checkOwner(existing, account: account)
            try await checkReachable(existing, account: account)
            return try ServerFolder(path: existing).prepared(account)
        }
        guard SystemCall.status(directory) == nil else {
            throw LocalPostgresError(
                .unusableFolder,
                "\(directory) is a link without a target; restore the target, or remove the link to begin with an empty database"
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
            throw LocalPostgresError(
                .unusableFolder,
                "the folder \(directory) was removed during the start; start again"
            )
        }
        return try ServerFolder(path: path).prepared(account)
    }

    /// Removes the folder and everything in it.
    ///
    /// The watcher may remove it at the same time.
    package func remove() throws {
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

    /// Creates the folders above a path, with modes that let other users pass through them.
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
            // Another process created the link first, so its folder is used.
            guard number == EEXIST else {
                throw LocalPostgresError.systemCall("link \(directory) to \(target)", number)
            }
        }
    }

    /// Throws if the data in a folder are those of another user, as in a packaged installation.
    ///
    /// Root could change them, and PostgreSQL as the account could not read them.
    private static func checkOwner(_ path: String, account: ServerAccount) throws {
        let data = ServerFolder(path: path).data
        guard account.isOther, let owner = SystemCall.status(data)?.st_uid, owner != 0, owner != account.userID else {
            return
        }
        let user = ServerAccount.name(of: owner) ?? "#\(owner)"
        throw LocalPostgresError(
            .unusableFolder,
            "the data in \(path) belong to the user \(user), and this program runs as root; run it as that user, with sudo -u '\(user)'"
        )
    }

    /// Throws if the account cannot enter one of the folders of a path.
    ///
    /// The check runs as the account, because only the kernel knows every rule, including access control lists.
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
            PostgreSQL does not run as root, so it runs as the user \(account.name), who cannot enter \(outcome.output). \
            Choose another data folder (MORTISE_DATA, for example /var/lib/mortise), or run this program as an ordinary \
            user.
            """
        )
    }
}
