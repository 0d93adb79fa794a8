public import FoundationEssentials
import Glibc

/// The folder with PostgreSQL's server programs.
public struct PostgresInstallation: Sendable, Hashable {
    /// The folder that holds `initdb`, `pg_ctl` and `postgres`.
    public let binaries: String

    /// Uses the programs in a folder.
    ///
    /// - Parameter binaries: a folder that holds `initdb`, `pg_ctl` and `postgres`.
    /// - Throws: ``LocalPostgresError`` (`notInstalled`) if one of them is missing there.
    public init(binaries: String) throws {
        guard Self.isComplete(binaries) else {
            throw LocalPostgresError(
                .notInstalled,
                "the folder \(binaries) does not hold PostgreSQL's programs \(Self.programs.joined(separator: ", "))"
            )
        }
        self.binaries = binaries
    }

    /// Finds the installed programs.
    ///
    /// `MORTISE_POSTGRES_BIN` names the folder, and no other is looked at. Otherwise the folders of `PATH` are searched, then those
    /// where Debian and Ubuntu (`/usr/lib/postgresql/*/bin`), Fedora and its relatives (`/usr/pgsql-*/bin`) and a build from
    /// source (`/usr/local/pgsql/bin`) put them, newest version first.
    ///
    /// - Parameter environment: the variables to read; by default those of this process.
    /// - Returns: the first folder that holds all the programs.
    /// - Throws: ``LocalPostgresError`` (`notInstalled`), saying what to install.
    public static func find(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> PostgresInstallation {
        if let chosen = environment["MORTISE_POSTGRES_BIN"], !chosen.isEmpty {
            return try PostgresInstallation(binaries: chosen)
        }
        guard let folder = candidates(environment).first(where: isComplete) else {
            throw LocalPostgresError(
                .notInstalled,
                """
                PostgreSQL's server programs (\(programs.joined(separator: ", "))) were not found. Install them \
                (Debian, Ubuntu: apt-get install postgresql), or set MORTISE_POSTGRES_BIN to the folder that holds them.
                """
            )
        }
        return try PostgresInstallation(binaries: folder)
    }

    static let programs = ["initdb", "pg_ctl", "postgres"]

    /// The path of one of the programs.
    func program(_ name: String) -> String { "\(binaries)/\(name)" }

    private static func isComplete(_ folder: String) -> Bool {
        programs.allSatisfy { access("\(folder)/\($0)", X_OK) == 0 }
    }

    private static func candidates(_ environment: [String: String]) -> [String] {
        let path = (environment["PATH"] ?? "").split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
        // A distribution may link pg_ctl alone into a folder of PATH; the others are then where the link leads.
        let linked = path.compactMap { SystemCall.resolve("\($0)/pg_ctl") }.map { String($0.dropLast("/pg_ctl".count)) }
        return path + linked + versions(in: "/usr/lib/postgresql", prefix: "") + versions(in: "/usr", prefix: "pgsql-")
            + ["/usr/local/pgsql/bin"]
    }

    /// The `bin` folders of the versions installed side by side, newest first.
    private static func versions(in folder: String, prefix: String) -> [String] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return entries.filter { $0.hasPrefix(prefix) }
            .compactMap { entry in Double(entry.dropFirst(prefix.count)).map { (version: $0, entry: entry) } }
            .sorted { $0.version > $1.version }
            .map { "\(folder)/\($0.entry)/bin" }
    }
}
