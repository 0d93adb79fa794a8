import Glibc
package import LocalPostgres

extension LocalPostgres {
    /// Creates a streaming standby of this server in a temporary folder, for tests of replication, and starts it.
    ///
    /// The standby has its own data, socket and log. Stop it, and then remove its folder with ``removeFolder()``.
    ///
    /// - Parameter name: The standby's name in `synchronous_standby_names`.
    /// - Returns: The running standby.
    /// - Throws: ``LocalPostgresError``, or `CancellationError`.
    package func makeStandby(named name: String) async throws -> LocalPostgres {
        let connectionString = try connectionString
        let temporary = directory.folder
        let path = try SystemCall.makeUniqueFolder(prefix: "\(temporary)/local-standby-")
        let folder = ServerFolder(path: path)
        do {
            let account = try ServerAccount.forThisProcess()
            if account.isOther { try SystemCall.changeMode(path, 0o711) }
            let unfinished = try SystemCall.makeUniqueFolder(prefix: "\(path)/\(folder.unfinishedPrefix)")
            try account.takeOwnership(of: unfinished)
            let copy = [
                try copyProgram(), "-D", unfinished, "-R", "-X", "stream", "-c", "fast",
                "--no-sync",
                "-d", "\(connectionString) application_name=\(name)",
            ]
            try await ServerCommand(arguments: account.command(copy), folder: path).check(timeout: options.startTimeout)
            guard rename(unfinished, folder.data) == 0 else {
                throw LocalPostgresError.systemCall("rename \(unfinished) to \(folder.data)", errno)
            }
            let standby = LocalPostgres(
                installation: installation,
                directory: path,
                options: options,
                logger: logger
            )
            try await standby.start()
            return standby
        } catch {
            try folder.remove()
            throw error
        }
    }

    /// Returns the path of `pg_basebackup`.
    ///
    /// A distribution can link only some programs into a folder of `PATH`. The others are beside the target of such a link.
    private func copyProgram() throws -> String {
        let folders = [installation.binaries, SystemCall.resolve(installation.program("pg_ctl"))?.folder]
            .compactMap(\.self)
        let programs = folders.map { "\($0)/pg_basebackup" }
        guard let found = programs.first(where: { access($0, X_OK) == 0 }) else {
            throw LocalPostgresError(.notInstalled, "there is no pg_basebackup in \(folders.joined(separator: " or "))")
        }
        return found
    }

    /// Removes the folder of a standby that was stopped.
    package func removeFolder() throws { try ServerFolder(path: directory).remove() }
}

extension String {
    /// The folder of a path.
    fileprivate var folder: String { split(separator: "/").dropLast().map { "/\($0)" }.joined() }
}
