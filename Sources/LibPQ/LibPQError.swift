/// The failure of a libpq call.
///
/// The message is libpq's own. It can name hosts, databases and users, so it belongs in a log and not in an answer to a client.
public struct LibPQError: Error, Sendable, Equatable {
    /// The name of the libpq function that failed.
    public let function: String
    /// The message of libpq, without the line feed at its end.
    public let message: String

    init(_ function: String, _ message: String) {
        self.function = function
        self.message = message.trimmedTail
    }
}

extension String {
    /// The text without white space at its end.
    ///
    /// libpq ends every message with a line feed.
    var trimmedTail: String {
        guard let end = lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(self[...end])
    }
}

extension LibPQError {
    /// The connection is closed.
    public static let notConnected = LibPQError("PQstatus", "not connected")
}
