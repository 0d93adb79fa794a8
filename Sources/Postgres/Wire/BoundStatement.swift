import LibPQ

/// A statement with its parameters.
package struct BoundStatement: Sendable {
    let statement: Statement
    let parameters: ParameterBuffer

    init(_ statement: Statement, _ parameters: ParameterBuffer) {
        self.statement = statement
        self.parameters = parameters
    }

    /// Binds a statement to values.
    ///
    /// - Parameters:
    ///   - statement: The statement.
    ///   - parameters: The values of `$1`, `$2`, …
    package init(_ statement: Statement, _ parameters: [any PostgresEncodable] = []) {
        self.init(statement, ParameterBuffer(parameters))
    }

    /// The error of a statement with a zero byte, at which a C string ends.
    static let zeroByte = PostgresError(.protocolViolation, "a statement cannot contain a zero byte")

    /// The error of a statement that libpq cannot send.
    ///
    /// The protocol counts parameters in 16 bits.
    var refusal: PostgresError? {
        if parameters.count > Int(UInt16.max) {
            return PostgresError(.protocolViolation, "a statement takes at most 65535 parameters")
        }
        return statement.hasZeroByte ? Self.zeroByte : nil
    }
}
