/// The isolation level and the access mode of a transaction.
public struct TransactionOptions: Sendable {
    /// An isolation level: the changes of concurrent transactions that a transaction can see.
    public enum Isolation: String, Sendable {
        /// Each statement sees what was committed before the statement began.
        case readCommitted = "READ COMMITTED"
        /// All statements see one snapshot.
        case repeatableRead = "REPEATABLE READ"
        /// Transactions behave as if they ran one after the other. A transaction can fail and must then be repeated.
        case serializable = "SERIALIZABLE"
    }

    /// The isolation level.
    ///
    /// Defaults to read committed.
    public var isolation = Isolation.readCommitted
    /// True if the server refuses writes.
    ///
    /// Defaults to false.
    public var isReadOnly = false

    /// The options of a read-write transaction at read committed.
    public static let `default` = TransactionOptions()

    /// Creates options.
    public init(isolation: Isolation = .readCommitted, isReadOnly: Bool = false) {
        self.isolation = isolation
        self.isReadOnly = isReadOnly
    }

    /// The statement that begins the transaction.
    var begin: String {
        "BEGIN ISOLATION LEVEL \(isolation.rawValue)\(isReadOnly ? " READ ONLY" : "")"
    }
}
