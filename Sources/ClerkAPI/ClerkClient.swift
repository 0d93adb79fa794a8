import HTTPTypes

/// Facts about Clerk's published clients, by their `User-Agent`.
enum ClerkClient {
    /// Returns the status of the answer to a creation: 201 or 200.
    ///
    /// The Python client accepts only 201 since version 5.0.6. Its older versions, and the clients for C# and Java, accept only 200.
    static func statusOfCreation(_ headers: HTTPFields) -> HTTPResponse.Status {
        let words = (headers[.userAgent] ?? "").split(separator: " ", maxSplits: 2)
        guard let client = words.first else { return .created }
        switch client {
        case "speakeasy-sdk/csharp", "speakeasy-sdk/java": return .ok
        case "speakeasy-sdk/python":
            guard words.count > 1, let version = version(words[1]) else { return .created }
            return version.lexicographicallyPrecedes([5, 0, 6]) ? .ok : .created
        default: return .created
        }
    }

    /// Returns the leading numbers of a version.
    ///
    /// `nil` if there are none.
    private static func version(_ text: Substring) -> [Int]? {
        let numbers = text.split(separator: ".").prefix(3).map { Int($0.prefix { $0.isNumber }) }
        let known = numbers.prefix { $0 != nil }.compactMap(\.self)
        return known.isEmpty ? nil : known
    }
}
