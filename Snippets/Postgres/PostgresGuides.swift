// The examples of the guides of Postgres. They are compiled, and DocC shows their slices.

import Logging
import Postgres

// snippet.statements
enum Users {
    static let create = Statement("CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL)", prepared: false)
    static let add = Statement("INSERT INTO users (id, name) VALUES ($1, $2)", name: "add user")
    static let find = Statement("SELECT name FROM users WHERE id = $1", name: "find user")
    static let all = Statement("SELECT id, name FROM users ORDER BY id", name: "list users")
}
// snippet.end

func connect() async throws {
    // snippet.connect
    let configuration = try PostgresConfiguration("postgresql://shop@localhost/shop")
    let logger = Logger(label: "shop")

    try await Reactor.with { reactor in
        try await PostgresConnection.with(configuration, reactor: reactor, logger: logger) { connection in
            try await connection.query(Users.create)
            try await connection.query(Users.add, [1, "Ada"])
        }
    }
    // snippet.end
}

func decode(_ connection: PostgresConnection) async throws {
    // snippet.decode
    for row in try await connection.query(Users.all) {
        let (id, name) = try row.decode((Int, String).self)
        print(id, name)
    }
    // snippet.end
}

func transaction(_ connection: PostgresConnection) async throws {
    // snippet.transaction
    try await connection.transaction { connection in
        try await connection.query(Users.add, [2, "Grace"])
        try await connection.query(Users.add, [3, "Barbara"])
    }
    // snippet.end
}

func pipelined(_ connection: PostgresConnection) async throws {
    // snippet.concurrent
    try await withThrowingTaskGroup(of: Void.self) { group in
        for id in 4..<100 {
            group.addTask { try await connection.query(Users.add, [id, "user \(id)"]) }
        }
        try await group.waitForAll()
    }
    // snippet.end
}

func pool(_ configuration: PostgresConfiguration, _ reactor: Reactor, _ logger: Logger) async throws {
    // snippet.pool
    let options = PostgresPoolOptions(maximumConnections: 4, leaseDeadline: .seconds(2))
    try await PostgresPool.with(configuration, options: options, reactor: reactor, logger: logger) { pool in
        // One statement.
        try await pool.query(Users.add, [100, "Radia"])
        // Several statements on the same connection.
        try await pool.withConnection { connection in
            try await connection.script("SET search_path = shop")
            try await connection.query(Users.add, [101, "Sophie"])
        }
        // A transaction.
        try await pool.transaction { connection in
            try await connection.query(Users.add, [102, "Margaret"])
        }
    }
    // snippet.end
}

func pipeline(_ configuration: PostgresConfiguration, _ reactor: Reactor, _ logger: Logger) async throws {
    // snippet.pipeline
    try await PostgresPipeline.with(configuration, reactors: [reactor], logger: logger) { pipeline in
        let rows = try await pipeline.query(Users.find, [1])
        let name = try rows.first?.decode(0, as: String.self)
        print(name ?? "there is no such user")
    }
    // snippet.end
}

func onReactor(_ pipeline: PostgresPipeline, _ reactor: Reactor) async throws {
    // snippet.reactor
    let rows = try await withTaskExecutorPreference(reactor) {
        try await pipeline.query(Users.find, [1])
    }
    // snippet.end
    print(rows.count)
}

func handleErrors(_ connection: PostgresConnection) async {
    // snippet.errors
    do throws(PostgresError) {
        try await connection.query(Users.add, [1, "Ada"])
    } catch  where error.sqlState == .uniqueViolation {
        print("the user exists: \(error.constraint ?? "")")
    } catch  where !error.wasSent {
        print("the server has not seen the statement, which can be repeated: \(error)")
    } catch {
        print("the statement can have taken effect: \(error)")
    }
    // snippet.end
}

func repeatTransaction(_ pool: PostgresPool) async throws {
    // snippet.serialization
    let options = TransactionOptions(isolation: .serializable)
    for attempt in 1...5 {
        do {
            try await pool.transaction(options) { connection in
                try await connection.query(Users.add, [103, "Frances"])
            }
            return
        } catch let error as PostgresError where error.sqlState == .serializationFailure && attempt < 5 {
            continue
        }
    }
    // snippet.end
}

func deadlines(_ configuration: PostgresConfiguration, _ connection: PostgresConnection) async throws {
    // snippet.deadlines
    var configuration = configuration
    configuration.connectDeadline = .seconds(2)
    configuration.queryDeadline = .seconds(1)

    // A statement that can take longer.
    try await connection.query(Users.all, deadline: .seconds(30))
    // snippet.end
    print(configuration)
}

func cancel(_ connection: PostgresConnection) async throws {
    // snippet.cancel
    let report = Task {
        try await connection.query(Users.all, deadline: .seconds(600))
    }
    report.cancel()
    do {
        _ = try await report.value
    } catch let error as PostgresError where error.code == .cancelled {
        // The server has stopped the statement, and the connection is usable.
        try await connection.query(Users.find, [1])
    }
    // snippet.end
}

func copy(_ connection: PostgresConnection, _ lines: AsyncStream<[UInt8]>) async throws {
    // snippet.copy
    let count = try await connection.copyIn("COPY users FROM STDIN (FORMAT csv)", lines)
    print("\(count) users were copied")
    // snippet.end
}

func listen(_ connection: PostgresConnection) async throws {
    // snippet.listen
    try await connection.listen("users_changed")
    for await notification in connection.notifications {
        print(notification.payload)
    }
    // snippet.end
}
