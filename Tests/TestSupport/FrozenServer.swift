import Foundation
import Glibc
import Postgres

/// The processes of a program that a test has stopped, as a machine that hangs stops them.
package struct FrozenProcesses: Sendable {
    private let ids: [Int32]

    /// Stops a process, and then its children, of which it can start no more.
    package static func freeze(_ process: Int32) -> FrozenProcesses {
        kill(process, SIGSTOP)
        let children = children(of: process)
        for child in children { kill(child, SIGSTOP) }
        return FrozenProcesses(ids: [process] + children)
    }

    /// Lets the processes go on.
    package func thaw() {
        for id in ids { kill(id, SIGCONT) }
    }

    private static func children(of process: Int32) -> [Int32] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { Int32($0) }
            .filter { id in
                // "42 (postgres) S 41 …": the parent is the second field after the name.
                let fields = TemporaryFolder.text("/proc/\(id)/stat")?.split(separator: ")").last?.split(separator: " ")
                guard let fields, fields.count > 1 else { return false }
                return Int32(fields[1]) == process
            }
    }
}

extension TestServer {
    /// Stops all processes of the server until `body` ends.
    package func freezing<T>(_ body: () async throws -> T) async throws -> T {
        let text = try await PostgresConnection.with(
            configuration(),
            reactor: try TestReactor.shared,
            logger: TestServer.silent
        ) { connection in
            try await connection.query(Statement("SELECT pg_read_file('postmaster.pid')", prepared: false))[0]
                .decode(0, as: String.self)
        }
        guard let process = text.split(separator: "\n").first.flatMap({ Int32($0) }) else {
            throw NeverHappened(what: "the process of the server is known")
        }
        let frozen = FrozenProcesses.freeze(process)
        defer { frozen.thaw() }
        return try await body()
    }
}
