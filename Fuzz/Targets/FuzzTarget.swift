/// A parser of foreign input, and the properties that it must have for every input.
///
/// `scripts/fuzz.sh` looks for an input that breaks a property. `FuzzCorpusTests` checks the inputs that it found on the way.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// Tokens, and the mask of logs.
    case token
    /// JSON texts.
    case json
    /// Addresses and ranges of addresses.
    case address
    /// Dates and times: RFC 3339 and HTTP.
    case time
    /// Scopes, namespaces and ids.
    case names
    /// The secrets file.
    case secrets
    /// Values of header fields: bearer credentials and the addresses of clients.
    case headers
    /// The query of a URL.
    case query
    /// Cursors of pages.
    case cursor
    /// The header fields of traces.
    case trace
    /// Messages of Protocol Buffers: the checks of Envoy, with their context extensions.
    case protobuf
    /// The header of the PROXY protocol.
    case proxy
    /// The path of a gateway's check.
    case path
    /// Forms, and the fields of the console.
    case form
    /// The cookies of the console.
    case cookie
    /// Signed tokens in their compact form.
    case jws

    /// Checks one input.
    ///
    /// - Parameter input: The bytes. They are followed by memory that must not be read.
    /// - Throws: `BrokenProperty` if the parser lacks a property.
    package func check(_ input: UnsafeBufferPointer<UInt8>) throws(BrokenProperty) {
        switch self {
        case .token: try Self.checkToken(input)
        case .json: try Self.checkJSON(input)
        case .address: try Self.checkAddress(input)
        case .time: try Self.checkTime(input)
        case .names: try Self.checkNames(input)
        case .secrets: try Self.checkSecrets(input)
        case .headers: try Self.checkHeaders(input)
        case .query: try Self.checkQuery(input)
        case .cursor: try Self.checkCursor(input)
        case .trace: try Self.checkTrace(input)
        case .protobuf: try Self.checkProtobuf(input)
        case .proxy: try Self.checkProxy(input)
        case .path: try Self.checkPath(input)
        case .form: try Self.checkForm(input)
        case .cookie: try Self.checkCookie(input)
        case .jws: try Self.checkJWS(input)
        }
    }
}
