import GatewayAPI

/// The header lines of a request in a test.
struct Headers: RequestHeaders {
    private let fields: [(String, String)]

    init(_ fields: (String, String)...) { self.fields = fields }

    func lines(_ name: String) -> [String] {
        fields.filter { $0.0.lowercased() == name.lowercased() }.map(\.1)
    }
}
