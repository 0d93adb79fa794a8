import Synchronization

/// An SQL statement with parameters `$1`, `$2`, …, which connections prepare at its first use.
///
/// Keep each statement in a `static let`: connections recognize a statement by its identity, not by its text. Comparing two numbers costs
/// nothing, while hashing a kilobyte of SQL for every look-up would cost more than sending it.
///
/// ```swift
/// static let find = Statement("SELECT name FROM users WHERE id = $1", name: "find user")
/// ```
public struct Statement: Sendable {
    /// The SQL of one statement.
    public let sql: String
    /// The name of the statement in traces.
    ///
    /// Without one, traces show its operation and the database.
    public let name: String?
    /// True if connections prepare the statement.
    public let isPrepared: Bool
    let id: Int
    /// The first keyword of the SQL, in upper case.
    let operation: String
    /// True if the statement reads or changes rows, and so can neither open nor end a transaction.
    let isPlain: Bool
    let hasZeroByte: Bool

    private static let count = Atomic<Int>(0)

    /// Creates a statement.
    ///
    /// - Parameters:
    ///   - sql: The SQL of one statement.
    ///   - name: The name of the statement in traces: a few words without values, such as "find user".
    ///   - prepared: False for a statement that runs once, such as DDL.
    public init(_ sql: String, name: String? = nil, prepared: Bool = true) {
        self.sql = sql
        self.name = name
        isPrepared = prepared
        operation = sql.drop(while: \.isWhitespace).prefix(while: \.isLetter).uppercased()
        isPlain = Self.plainOperations.contains(operation)
        hasZeroByte = sql.utf8.contains(0)
        id = prepared ? Self.count.add(1, ordering: .relaxed).oldValue : -1
    }

    private static let plainOperations: Set<String> = [
        "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES", "TABLE",
    ]
}

/// The statements that one connection has prepared.
struct PreparedStatements {
    /// Indexed by `Statement.id`.
    ///
    /// A statement with other parameter types is prepared again, under another name.
    private var variants: [[(types: [UInt32], name: String)]] = []
    private var made = 0

    /// The maximum number of statements that one connection prepares.
    ///
    /// The server keeps them in memory until the connection ends.
    ///
    /// Further statements are sent without preparation. A program whose statements are constants stays far below the limit.
    static let bound = 2048

    /// Returns true if one more statement can be prepared.
    func hasRoom(for statement: Statement) -> Bool { made < Self.bound && statement.id < 16 * Self.bound }

    /// Returns the name under which a statement is prepared for these types.
    ///
    /// `nil` if it is not.
    func name(of statement: Statement, types: [UInt32]) -> String? {
        guard variants.indices.contains(statement.id) else { return nil }
        return variants[statement.id].first { $0.types == types }?.name
    }

    /// Adds a statement that is being prepared, and returns its new name.
    mutating func add(_ statement: Statement, types: [UInt32]) -> String {
        while variants.count <= statement.id { variants.append([]) }
        made += 1
        let name = "m\(made)"
        variants[statement.id].append((types, name))
        return name
    }

    /// Removes a statement, which then is prepared again at its next use.
    mutating func remove(_ statement: Statement) {
        guard variants.indices.contains(statement.id) else { return }
        variants[statement.id] = []
    }
}
