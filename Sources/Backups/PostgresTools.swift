public import FoundationEssentials
import Glibc
import Keys
import Postgres
import Subprocess

/// The programs `pg_dump` and `pg_restore`, in one or several versions.
public struct PostgresTools: Sendable {
    /// A folder that has both programs.
    private struct Programs: Sendable {
        let folder: String
        /// The major version of the programs.
        let version: Int
    }

    private let found: [Programs]

    /// Finds the programs.
    ///
    /// Several versions can be installed side by side. Each server gets the programs of its own version, if they are installed. Debian's
    /// `pg_dump` in `/usr/bin` chooses a version by itself, so the folders of the versions come first.
    ///
    /// - Parameters:
    ///   - preferred: The folder of a setting. No other folder is searched then.
    ///   - environment: The variables, for `PATH`.
    /// - Returns: The programs.
    /// - Throws: ``BackupError`` with the packages to install.
    public static func find(
        preferred: String?,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) async throws -> PostgresTools {
        let path = (environment["PATH"] ?? "").split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
        let installed = versions(in: "/usr/lib/postgresql", prefix: "") + versions(in: "/usr", prefix: "pgsql-")
        let folders = preferred.map { [$0] } ?? (installed + path + ["/usr/local/pgsql/bin"])
        var found: [Programs] = []
        for folder in folders where isComplete(folder) {
            guard let version = try await version(of: folder) else { continue }
            found.append(Programs(folder: folder, version: version))
        }
        guard !found.isEmpty else {
            let place = preferred.map { "in the folder \($0)" } ?? "in PATH and in the usual folders"
            throw BackupError(
                "The programs pg_dump and pg_restore were not found \(place).",
                advice: [
                    """
                    Install them (Debian, Ubuntu: apt-get install postgresql-client), or name their folder with --postgres-bin or \
                    MORTISE_POSTGRES_BIN.
                    """
                ]
            )
        }
        return PostgresTools(found: found)
    }

    private static func isComplete(_ folder: String) -> Bool {
        ["pg_dump", "pg_restore"].allSatisfy { access("\(folder)/\($0)", X_OK) == 0 }
    }

    private static func versions(in root: String, prefix: String) -> [String] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return entries.filter { $0.hasPrefix(prefix) && Int($0.dropFirst(prefix.count)) != nil }.sorted()
            .map { "\(root)/\($0)/bin" }
    }

    /// Returns the major version of the programs of a folder, or `nil` if they do not run.
    private static func version(of folder: String) async throws -> Int? {
        let output = try? await run("pg_dump", in: folder, ["--version"], password: nil)
        try Task.checkCancellation()
        // "pg_dump (PostgreSQL) 15.4 (Debian 15.4-1)"
        let number = output?.split(separator: " ").first { $0.first?.isNumber == true }
        return number.flatMap { Int($0.prefix { $0.isNumber }) }
    }

    /// Throws unless there are programs for a server: those of its version, or newer ones.
    ///
    /// - Parameter server: The version of the server as a number: 150004 is 15.4.
    /// - Throws: ``BackupError``.
    public func check(server: Int) throws { _ = try programs(for: server) }

    /// Returns the programs of the version of a server, or the oldest ones that are newer.
    ///
    /// Newer ones come second, because a server cannot always load what they write: `pg_restore` 17 uses a setting that older servers lack.
    private func programs(for server: Int) throws -> Programs {
        let version = server / 10_000
        if let exact = found.first(where: { $0.version == version }) { return exact }
        if let newer = found.filter({ $0.version > version }).min(by: { $0.version < $1.version }) { return newer }
        let newest = found.map(\.version).max() ?? 0
        throw BackupError(
            "pg_dump and pg_restore have version \(newest), and the server has version \(version).",
            advice: [
                """
                Install the client programs of PostgreSQL \(version), or name their folder with --postgres-bin or MORTISE_POSTGRES_BIN.
                """
            ]
        )
    }

    /// Dumps a database into a file that exists.
    func dump(_ database: PostgresConfiguration, server: Int, to file: String, snapshot: String?) async throws {
        var arguments = [
            "--format=custom", "--no-password", "--lock-wait-timeout=60s", "--file=\(file)",
            "--dbname=\(try Self.conninfo(database))",
        ]
        if let snapshot { arguments.append("--snapshot=\(snapshot)") }
        try await Self.run("pg_dump", in: try programs(for: server).folder, arguments, password: database.password)
    }

    /// Loads a dump into an empty database, in one transaction.
    ///
    /// The connecting role owns everything. Privileges are those of the dump.
    func restore(_ file: String, to database: PostgresConfiguration, server: Int) async throws {
        try await Self.run(
            "pg_restore",
            in: try programs(for: server).folder,
            [
                "--no-owner", "--no-password", "--single-transaction", "--exit-on-error",
                "--dbname=\(try Self.conninfo(database))", file,
            ],
            password: database.password
        )
    }

    /// Returns a connection string without the password, which `ps` would show.
    ///
    /// - Throws: ``BackupError`` for the password of a TLS key, which libpq reads from no variable.
    static func conninfo(_ configuration: PostgresConfiguration) throws -> String {
        var parameters = configuration.parameters.filter { $0.key != "password" && !$0.value.isEmpty }
        guard parameters["sslpassword"] == nil else {
            throw BackupError(
                "The connection string has the password of a TLS key (sslpassword), which ps would show on the command line of pg_dump.",
                advice: ["Use a TLS key without a password for this command."]
            )
        }
        if parameters["connect_timeout"] == nil {
            // libpq takes 1 for 2 seconds.
            parameters["connect_timeout"] = "\(max(2, configuration.connectDeadline.components.seconds))"
        }
        return parameters.sorted { $0.key < $1.key }
            .map { (key, value) in "\(key)='\(value.escaping(by: "\\") { $0 == "'" || $0 == "\\" })'" }
            .joined(separator: " ")
    }

    @discardableResult
    private static func run(
        _ program: String,
        in folder: String,
        _ arguments: [String],
        password: String?
    ) async throws -> String {
        var variables: [Environment.Key: String] = ["PATH": "/usr/local/bin:/usr/bin:/bin"]
        let inherited = ProcessInfo.processInfo.environment
        for (name, value) in inherited
        where name.hasPrefix("PG") || ["HOME", "PATH", "KRB5CCNAME", "TMPDIR"].contains(name) {
            variables[Environment.Key(stringLiteral: name)] = value
        }
        variables["LC_ALL"] = "C.UTF-8"
        if let password { variables["PGPASSWORD"] = password }
        // The shell gives the program's name a path without the module of its path type.
        let result = try await Subprocess.run(
            .name("sh"),
            arguments: Arguments(["-c", #"exec "$0" "$@""#, "\(folder)/\(program)"] + arguments),
            environment: .custom(variables),
            input: .none,
            output: .string(limit: 65_536),
            error: .string(limit: 1 << 20)
        )
        guard result.terminationStatus.isSuccess else {
            let lines = result.standardError.split(separator: "\n").suffix(3).map(String.init)
            throw BackupError(
                "\(program) failed: \(Redaction.redact(lines.first ?? "it was ended by a signal"))",
                advice: lines.dropFirst().map { Redaction.redact($0) }
            )
        }
        return result.standardOutput
    }
}
