import HTTPTypes

/// What is known of the clients by the names that they give themselves.
enum ClerkClient {
    /// The status of a creation.
    ///
    /// 201, which the Python client takes alone since 5.0.6. Before, and to this day in C# and Java, the generated clients take 200 alone.
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

    /// The numbers of a version, as far as there are any; `nil` if there is none.
    private static func version(_ text: Substring) -> [Int]? {
        let numbers = text.split(separator: ".").prefix(3).map { Int($0.prefix { $0.isNumber }) }
        let known = numbers.prefix { $0 != nil }.compactMap(\.self)
        return known.isEmpty ? nil : known
    }
}
