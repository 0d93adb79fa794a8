import FoundationEssentials
import Glibc

/// The data of a server, which `initdb` creates once.
struct Cluster: Sendable {
    let folder: ServerFolder
    let installation: PostgresInstallation
    let account: ServerAccount

    /// Creates the data, or checks that existing data have this version.
    ///
    /// The caller holds the start lock. The data are created under another name and renamed when they are complete. An
    /// interruption therefore leaves no incomplete data under the final name, and the next run removes the remains.
    func ensure(durable: Bool, deadline: Deadline) async throws {
        guard !folder.hasCluster else { return try await checkVersion(deadline) }
        // After a kill of this program, its initdb still writes into the folder that is removed next. It ends by itself.
        let creation = try FileLock(path: folder.creationLock)
        try await creation.lock(.exclusive, until: deadline)
        creation.unlock()
        try removeUnfinished()
        let unfinished = try SystemCall.makeUniqueFolder(prefix: "\(folder.path)/\(folder.unfinishedPrefix)")
        try account.takeOwnership(of: unfinished)
        // "trust" makes everybody who reaches the socket the superuser. The socket's folder has mode 0700, so only the
        // server's account and root reach it, and both can read the data files anyway. TCP connections are refused twice.
        var arguments = [
            installation.program("initdb"), "-D", unfinished, "-U", LocalPostgres.superuser, "--encoding=UTF8",
            "--locale=C.UTF-8", "--auth-local=trust", "--auth-host=reject", "--data-checksums",
        ]
        if !durable { arguments.append("--no-sync") }
        try await ServerCommand(
            arguments: ["flock", "--no-fork", "--exclusive", folder.creationLockName] + account.command(arguments),
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
                "the remains of an interrupted start (\(folder.path)/\(folder.unfinishedPrefix)…) cannot be removed; remove them by hand"
            )
        }
    }

    private func checkVersion(_ deadline: Deadline) async throws {
        guard let version = folder.version else {
            throw LocalPostgresError(
                .unusableFolder,
                "\(folder.data)/PG_VERSION cannot be read; run this as the owner of the folder"
            )
        }
        let output = try await ServerCommand(
            arguments: [installation.program("postgres"), "--version"],
            folder: folder.path
        )
        .check(timeout: deadline.remaining)
        // postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
        let installed = output.split(separator: " ").dropFirst(2).first ?? ""
        guard installed.prefix(while: \.isNumber) == version else {
            throw LocalPostgresError(
                .unusableFolder,
                """
                PostgreSQL \(version) created the data in \(folder.data), but \(installation.binaries) has \(installed). \
                Set MORTISE_POSTGRES_BIN to the programs of version \(version), or convert the data with pg_upgrade.
                """
            )
        }
    }
}
