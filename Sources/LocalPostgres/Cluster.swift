import FoundationEssentials
import Glibc

/// Makes the data of a server, once.
struct Cluster: Sendable {
    let folder: ServerFolder
    let installation: PostgresInstallation
    let account: ServerAccount

    /// Creates the cluster, or checks that the one there is this version's.
    ///
    /// The caller holds the start lock. The cluster is made beside its place and renamed into it when it is complete, so an interruption leaves nothing that could be taken
    /// for a cluster; the remains are removed by the next run.
    func ensure(durable: Bool, deadline: Deadline) async throws {
        guard !folder.hasCluster else { return try await checkVersion(deadline) }
        // An initdb whose program was killed still writes into what is removed next; it ends by itself.
        let making = try FileLock(path: folder.makingLock)
        try await making.lock(.exclusive, until: deadline)
        making.unlock()
        try removeUnfinished()
        let unfinished = try SystemCall.makeUniqueFolder(prefix: "\(folder.path)/\(folder.unfinishedPrefix)")
        try account.takeOwnership(of: unfinished)
        // Trust: whoever reaches the socket is the superuser. The socket's folder has mode 0700, so that is the
        // server's account and root, who could read the data files anyway. Connections over TCP are refused twice.
        var arguments = [
            installation.program("initdb"), "-D", unfinished, "-U", LocalPostgres.superuser, "--encoding=UTF8",
            "--locale=C.UTF-8", "--auth-local=trust", "--auth-host=reject", "--data-checksums",
        ]
        if !durable { arguments.append("--no-sync") }
        try await ServerCommand(
            arguments: ["flock", "--no-fork", "--exclusive", folder.makingLockName] + account.command(arguments),
            folder: folder.path
        )
        .check(timeout: deadline.remaining)
        guard rename(unfinished, folder.data) == 0 else {
            throw LocalPostgresError.systemCall("rename \(unfinished) to \(folder.data)", errno)
        }
        if durable { try SystemCall.synchronizeFolder(folder.path) }
    }

    private func removeUnfinished() throws {
        do {
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
            where name.hasPrefix(folder.unfinishedPrefix) {
                try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
            }
        } catch {
            throw LocalPostgresError(
                .unusableFolder,
                "what an interrupted start left in \(folder.path) (\(folder.unfinishedPrefix)…) cannot be removed"
            )
        }
    }

    private func checkVersion(_ deadline: Deadline) async throws {
        guard let contents = try? String(contentsOfFile: "\(folder.data)/PG_VERSION", encoding: .utf8) else {
            throw LocalPostgresError(.unusableFolder, "\(folder.data)/PG_VERSION cannot be read")
        }
        let made = contents.filter { !$0.isWhitespace }
        let output = try await ServerCommand(
            arguments: [installation.program("postgres"), "--version"],
            folder: folder.path
        )
        .check(timeout: deadline.remaining)
        // postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
        let version = output.split(separator: " ").dropFirst(2).first ?? ""
        guard version.prefix(while: \.isNumber) == made else {
            throw LocalPostgresError(
                .unusableFolder,
                """
                the data in \(folder.data) were made by PostgreSQL \(made), but \(installation.binaries) holds \
                \(version). Set MORTISE_POSTGRES_BIN to the programs of version \(made), or convert the data with pg_upgrade.
                """
            )
        }
    }
}
