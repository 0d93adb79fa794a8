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
    /// The facts of a statement, behind one reference: a statement is copied often on its way to the server.
    private final class Definition: Sendable {
        let sql: String
        let name: String?
        /// The number of a prepared statement, from 0, or -1.
        let id: Int
        let operation: String
        let isPlain: Bool
        let isCommit: Bool
        let hasZeroByte: Bool

        init(_ sql: String, name: String?, id: Int) {
            self.sql = sql
            self.name = name
            self.id = id
            operation = sql.drop(while: \.isWhitespace).prefix(while: \.isLetter).uppercased()
            isPlain = Statement.plainOperations.contains(operation)
            isCommit = operation == "COMMIT" || operation == "END"
            hasZeroByte = sql.utf8.contains(0)
        }
    }

    private let definition: Definition

    private static let count = Atomic<Int>(0)

    private static let plainOperations: Set<String> = [
        "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES", "TABLE",
    ]

    /// Creates a statement.
    ///
    /// - Parameters:
    ///   - sql: The SQL of one statement.
    ///   - name: The name of the statement in traces: a few words without values, such as "find user".
    ///   - prepared: False for a statement that runs once, such as DDL.
    public init(_ sql: String, name: String? = nil, prepared: Bool = true) {
        let id = prepared ? Self.count.add(1, ordering: .relaxed).oldValue : -1
        definition = Definition(sql, name: name, id: id)
    }

    /// The SQL of one statement.
    public var sql: String { definition.sql }

    /// The name of the statement in traces.
    ///
    /// Without one, traces show its operation and the database.
    public var name: String? { definition.name }

    /// True if connections prepare the statement.
    public var isPrepared: Bool { definition.id >= 0 }

    /// The number of a prepared statement, from 0, or -1.
    var id: Int { definition.id }

    /// The first keyword of the SQL, in upper case.
    var operation: String { definition.operation }

    /// True if the statement reads or changes rows, and so can neither open nor end a transaction.
    var isPlain: Bool { definition.isPlain }

    /// True if the statement commits the open transaction.
    var isCommit: Bool { definition.isCommit }

    var hasZeroByte: Bool { definition.hasZeroByte }
}
