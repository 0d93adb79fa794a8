import Synchronization

/// A question about the server that each session of a pipeline answers once, before the first look-up that needs its mark is sent.
///
/// It tells answers of one server from those of another one, for example after a failover.
public struct SessionQuestion: Sendable {
    let statement: Statement
    let mark: @Sendable (Rows) throws(PostgresError) -> SessionMark

    /// Creates a question.
    ///
    /// - Parameters:
    ///   - statement: A statement that reads and has no parameters.
    ///   - mark: Returns the mark that stands for the rows of the answer. A look-up that needs the mark throws the error of this closure.
    public init(_ statement: Statement, mark: @escaping @Sendable (Rows) throws(PostgresError) -> SessionMark) {
        self.statement = statement
        self.mark = mark
    }
}

/// A number that stands for a session's answer to the question of its pipeline.
public struct SessionMark: Sendable, Hashable {
    /// The number, which is 0 for ``none`` only.
    public let number: UInt64

    /// Creates a mark.
    ///
    /// - Parameter number: The number. 0 counts as 1.
    public init(_ number: UInt64) { self.number = max(number, 1) }

    private init(none: Void) { number = 0 }

    /// The mark of sessions that were asked no question.
    public static let none = SessionMark(none: ())
}

/// The rows of a look-up, and the mark of the session that answered.
public struct PipelineAnswer: Sendable {
    /// The rows.
    public let rows: Rows
    /// The mark of the session.
    public let mark: SessionMark
}

extension Session {
    /// The mark, or `nil` before the session has answered the question.
    var mark: SessionMark? {
        let number = markNumber.load(ordering: .relaxed)
        return number == 0 ? nil : SessionMark(number)
    }

    /// Notes the mark, and returns it.
    func setMark(_ mark: SessionMark) -> SessionMark {
        markNumber.store(mark.number, ordering: .relaxed)
        return mark
    }
}
