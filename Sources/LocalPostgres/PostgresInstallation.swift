public import FoundationEssentials
import Glibc

/// An installation of PostgreSQL's server programs.
public struct PostgresInstallation: Sendable, Hashable {
    /// The folder that holds `initdb`, `pg_ctl` and `postgres`.
    public let binaries: String

    /// Uses the programs of a folder.
    ///
    /// - Parameter binaries: A folder that holds `initdb`, `pg_ctl` and `postgres`.
    /// - Throws: ``LocalPostgresError`` (`notInstalled`) if one of them is missing.
    public init(binaries: String) throws {
        guard Self.isComplete(binaries) else {
            throw LocalPostgresError(
                .notInstalled,
                "the folder \(binaries) does not hold the PostgreSQL programs \(Self.programs.joined(separator: ", ")); name another folder"
            )
        }
        self.binaries = binaries
    }

    /// Finds the installed programs.
    ///
    /// If `MORTISE_POSTGRES_BIN` names a folder, no other is searched. Otherwise the folders of `PATH` are searched, then the
    /// folders of Debian and Ubuntu (`/usr/lib/postgresql/*/bin`), of Fedora and its relatives (`/usr/pgsql-*/bin`), newest
    /// version first, and of a build from source (`/usr/local/pgsql/bin`).
    ///
    /// - Parameters:
    ///   - environment: The variables to read. Defaults to those of this process.
    ///   - directory: The folder of a server (``LocalPostgres/directory``). If it has data, programs of their major version are preferred,
    ///     because another version cannot use them.
    /// - Returns: The first installation that has all programs.
    /// - Throws: ``LocalPostgresError`` (`notInstalled`) with the packages to install.
    public static func find(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        forDataIn directory: String? = nil
    ) throws -> PostgresInstallation {
        if let chosen = environment["MORTISE_POSTGRES_BIN"], !chosen.isEmpty {
            return try PostgresInstallation(binaries: chosen)
        }
        let complete = candidates(environment).filter(isComplete)
        let version = directory.flatMap { ServerFolder(path: $0).version }
        guard let folder = complete.first(where: { isOfVersion(version, $0) }) ?? complete.first else {
            throw LocalPostgresError(
                .notInstalled,
                """
                the PostgreSQL server programs (\(programs.joined(separator: ", "))) were not found. Install them \
                (Debian, Ubuntu: apt-get install postgresql), or set MORTISE_POSTGRES_BIN to the folder that holds them.
                """
            )
        }
        return try PostgresInstallation(binaries: folder)
    }

    static let programs = ["initdb", "pg_ctl", "postgres"]

    /// Returns the path of a program.
    package func program(_ name: String) -> String { "\(binaries)/\(name)" }

    private static func isComplete(_ folder: String) -> Bool {
        programs.allSatisfy { access("\(folder)/\($0)", X_OK) == 0 }
    }

    /// Returns true if a folder is named after a major version, as distributions name it.
    private static func isOfVersion(_ version: String?, _ folder: String) -> Bool {
        guard let version else { return false }
        return folder.hasSuffix("/postgresql/\(version)/bin") || folder.hasSuffix("/pgsql-\(version)/bin")
    }

    private static func candidates(_ environment: [String: String]) -> [String] {
        let path = (environment["PATH"] ?? "").split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
        // A distribution may link only pg_ctl into a folder of PATH. The other programs are beside the target of the link.
        let linked = path.compactMap { SystemCall.resolve("\($0)/pg_ctl") }.map { String($0.dropLast("/pg_ctl".count)) }
        return path + linked + versions(in: "/usr/lib/postgresql", prefix: "") + versions(in: "/usr", prefix: "pgsql-")
            + ["/usr/local/pgsql/bin"]
    }

    /// Returns the `bin` folders of the versions that are installed side by side, newest first.
    private static func versions(in folder: String, prefix: String) -> [String] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return entries.filter { $0.hasPrefix(prefix) }
            .compactMap { entry in Double(entry.dropFirst(prefix.count)).map { (version: $0, entry: entry) } }
            .sorted { $0.version > $1.version }
            .map { "\(folder)/\($0.entry)/bin" }
    }
}
