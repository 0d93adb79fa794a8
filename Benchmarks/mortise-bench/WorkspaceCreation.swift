import Logging
import Postgres

/// `POST …/workspaces` against a bare `CREATE DATABASE … TEMPLATE` of the same template.
enum WorkspaceCreation {
    private static let count = 10

    static func measure(_ installation: Installation, _ options: BenchOptions, _ reactor: Reactor) async throws {
        let connection = try await PostgresConnection.connect(
            try PostgresConfiguration(installation.maintenanceConnection),
            reactor: reactor,
            logger: Logger(label: "bench")
        )
        let template = try await connection.query(
            Statement(
                "SELECT datname::text FROM pg_database WHERE datname LIKE 'mortise\\_template\\_%' LIMIT 1",
                prepared: false
            )
        )
        guard let name: String = try template.first?.decode(0) else { throw BenchError.failed("there is no template") }
        let quoted = PostgresConnection.quote(identifier: name)
        var bare: [Double] = []
        var whole: [Double] = []
        for index in 0..<Self.count {
            bare.append(
                try await Self.milliseconds {
                    try await connection.script("CREATE DATABASE bare_\(index) TEMPLATE \(quoted) STRATEGY wal_log")
                }
            )
            whole.append(try await Self.milliseconds { try await Self.create(installation, index) })
        }
        await connection.close()
        let (value, yardstick) = (Report.median(whole), Report.median(bare))
        Report.ratio(
            "ms to create a workspace, against CREATE DATABASE … TEMPLATE",
            value,
            yardstick,
            goal: "at most 2.5x",
            isMet: value <= 2.5 * yardstick
        )
    }

    private static func create(_ installation: Installation, _ index: Int) async throws {
        _ = try await installation.post(
            "/v1/organizations/\(installation.organizationID)/workspaces",
            #"{"name":"Bench \#(index)"}"#
        )
    }

    private static func milliseconds(_ body: () async throws -> Void) async throws -> Double {
        let start = ContinuousClock.now
        try await body()
        return (ContinuousClock.now - start) / .milliseconds(1)
    }
}
