/// What a libpq call reported when it could not do what was asked.
///
/// The text is libpq's own; it can name hosts, databases and users, so it belongs in a log and not in an answer.
public struct LibPQError: Error, Sendable, Equatable {
    /// The function that failed, as the libpq manual spells it.
    public let function: String
    /// libpq's message, without the line feed it ends with.
    public let message: String

    init(_ function: String, _ message: String) {
        self.function = function
        self.message = message.trimmedTail
    }
}

extension String {
    /// The text without trailing white space: libpq ends every message with a line feed.
    var trimmedTail: String {
        guard let end = lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(self[...end])
    }
}

extension LibPQError {
    /// The connection is gone.
    public static let notConnected = LibPQError("PQstatus", "not connected")
}
