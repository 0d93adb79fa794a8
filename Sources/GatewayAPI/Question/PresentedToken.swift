import Endpoints
import Keys

/// The token that a client presented to the gateway.
package enum PresentedToken: Sendable, Hashable {
    /// The request has no token.
    case none
    /// The header of the token has two lines.
    ///
    /// Mortise and the server behind the gateway could read different ones.
    case malformed
    /// A text that can be a token.
    case text(String)

    /// The headers that carry a token if the configuration names none.
    private static let defaultHeaders = ["X-API-Key", authorization]
    private static let authorization = "Authorization"

    /// Reads the token of a request.
    ///
    /// The first header that is present counts. An empty header, and an `Authorization` of another scheme than Bearer, count as
    /// absent.
    ///
    /// - Parameters:
    ///   - headers: The headers of the request.
    ///   - names: The headers that can carry the token. Empty means the default ones.
    package init(_ headers: some RequestHeaders, in names: [String]) {
        for name in names.isEmpty ? Self.defaultHeaders : names {
            let lines = headers.lines(name)
            guard let line = lines.first else { continue }
            guard lines.count == 1 else {
                self = .malformed
                return
            }
            let value = Self.withoutBlanks(line)
            let isBearer = name.utf8.count == Self.authorization.utf8.count && name.lowercased() == "authorization"
            if let text = isBearer ? BearerCredential.read(value) : value, !text.isEmpty {
                self = .text(text)
                return
            }
        }
        self = .none
    }

    /// Returns the value of a line without the blanks behind it, which are no part of it (RFC 9110 section 5.5).
    ///
    /// The parser of swift-nio removes those in front of it alone.
    private static func withoutBlanks(_ line: String) -> String {
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        guard let last = line.utf8.last, isBlank(last) else { return line }
        guard let end = line.utf8.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(line[..<line.utf8.index(after: end)])
    }
}

extension PresentedToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The case without the token.
    package var description: String {
        switch self {
        case .none: "none"
        case .malformed: "malformed"
        case .text: "text(…)"
        }
    }

    /// The case without the token.
    package var debugDescription: String { description }

    /// A mirror without the token.
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
