import Endpoints
package import Keys

/// The options of a check: matrix parameters (RFC 3986 section 3.3) behind the name of the audience.
///
/// The configuration of the gateway writes them. They stand before everything in the path that a client can write.
package struct CheckOptions: Sendable, Hashable {
    /// The scopes that the key must have.
    package var scopes: [Scope] = []
    /// The namespace.
    ///
    /// `nil` is the default namespace.
    package var namespace: String?
    /// The mode that the key must have.
    ///
    /// `nil` accepts both.
    package var mode: KeyMode?
    /// The headers that can carry the token, in the order of preference.
    ///
    /// Empty means `X-API-Key`, then `Authorization`.
    package var tokenHeaders: [String] = []
    /// The header that carries the client's address.
    ///
    /// `nil` means `X-Forwarded-For`.
    package var addressHeader: String?
    /// The statuses of refusals that some gateways do not understand.
    package var statuses = RefusalStatuses()

    /// The largest number of token headers.
    private static let maximumTokenHeaders = 8

    /// Creates options with default values.
    package init() {}

    /// Reads the options of a path segment, from the first semicolon on.
    ///
    /// - Parameter text: The text, which is empty or begins with a semicolon.
    /// - Throws: `CheckFault` for the first fault.
    package init(reading text: Substring) throws(CheckFault) {
        guard !text.isEmpty else { return }
        var seen: Set<CheckOption> = []
        for part in text.dropFirst().split(separator: ";", omittingEmptySubsequences: false) {
            guard !part.isEmpty else { throw CheckFault(.empty) }
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let option = CheckOption(rawValue: String(pair[0])) else { throw CheckFault(.unknown) }
            guard pair.count == 2, !pair[1].isEmpty else { throw CheckFault(.empty, option) }
            let isFirst = seen.insert(option).inserted
            guard isFirst || option == .scope || option == .token else { throw CheckFault(.repeated, option) }
            guard let value = PercentDecoding.decode(pair[1], plusIsSpace: false) else {
                throw CheckFault(.malformed, option)
            }
            try set(option, to: value)
        }
    }

    /// Sets an option, or adds a value to an option that may occur several times.
    mutating func set(_ option: CheckOption, to value: String) throws(CheckFault) {
        switch option {
        case .scope:
            guard let scope = try? Scope(validating: value) else { throw CheckFault(.malformed, option) }
            guard scopes.count < ScopeSet.maximumCount else { throw CheckFault(.repeated, option) }
            scopes.append(scope)
        case .namespace:
            guard (1...255).contains(value.unicodeScalars.count), !value.utf8.contains(0) else {
                throw CheckFault(.malformed, option)
            }
            namespace = value
        case .mode:
            guard let mode = KeyMode(rawValue: value) else { throw CheckFault(.malformed, option) }
            self.mode = mode
        case .token:
            guard Self.isHeaderName(value) else { throw CheckFault(.malformed, option) }
            guard tokenHeaders.count < Self.maximumTokenHeaders else { throw CheckFault(.repeated, option) }
            tokenHeaders.append(value)
        case .address:
            guard Self.isHeaderName(value) else { throw CheckFault(.malformed, option) }
            addressHeader = value
        case .over: statuses.over = try Self.status(value, option)
        case .away: statuses.away = try Self.status(value, option)
        }
    }

    private static func status(_ text: String, _ option: CheckOption) throws(CheckFault) -> Int {
        guard text.utf8.count == 3, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let status = Int(text),
            (400...599).contains(status)
        else { throw CheckFault(.malformed, option) }
        return status
    }

    /// Returns true for the name of a header.
    ///
    /// Fewer characters are allowed than in RFC 9110 section 5.1. A `*` in particular: a gateway that prefixes a path appends
    /// it for `OPTIONS *`, and a client could then send a header of that name.
    private static func isHeaderName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}

/// The statuses of refusals that some gateways understand only as 401 or 403.
package struct RefusalStatuses: Sendable, Hashable {
    /// The status for a key over its limit.
    package var over = 429
    /// The status for a workspace that is unavailable.
    package var away = 503

    /// Creates the default statuses.
    package init() {}
}
