import Synchronization

/// One SQL statement with `$1`-style parameters, known by identity: keep it in a `static let`.
///
/// A connection prepares it at its first use. Identity instead of text, because comparing a number costs nothing and hashing a
/// kilobyte of SQL for every lookup would cost more than sending it.
public struct Statement: Sendable {
    /// The SQL, one statement.
    public let sql: String
    /// Whether connections prepare it.
    ///
    /// False for what runs once, such as DDL.
    public let isPrepared: Bool
    let id: Int

    private static let count = Atomic<Int>(0)

    /// Describes a statement.
    public init(_ sql: String, prepared: Bool = true) {
        self.sql = sql
        self.isPrepared = prepared
        self.id = prepared ? Self.count.add(1, ordering: .relaxed).oldValue : -1
    }
}

/// Which statements one connection has prepared, by name and parameter types.
struct PreparedStatements {
    /// Indexed by `Statement.id`: the same statement with other parameter types is prepared again under another name.
    private var variants: [[(types: [UInt32], name: String)]] = []
    private var made = 0

    /// The name under which a statement is prepared for these types, if it is.
    func name(of statement: Statement, types: [UInt32]) -> String? {
        guard statement.id < self.variants.count else { return nil }
        return self.variants[statement.id].first { $0.types == types }?.name
    }

    /// Notes that the statement is being prepared, and names it.
    mutating func add(_ statement: Statement, types: [UInt32]) -> String {
        while self.variants.count <= statement.id { self.variants.append([]) }
        self.made += 1
        let name = "m\(self.made)"
        self.variants[statement.id].append((types, name))
        return name
    }

    /// Forgets a statement, which then is prepared again at its next use.
    mutating func remove(_ statement: Statement) {
        guard statement.id >= 0, statement.id < self.variants.count else { return }
        self.variants[statement.id] = []
    }
}
