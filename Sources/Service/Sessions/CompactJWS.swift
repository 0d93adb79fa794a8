import FoundationEssentials
package import JSON

/// A signed token in its compact form (RFC 7515 section 7.1), parsed and not yet verified.
package struct CompactJWS: Sendable {
    /// The maximum length of a token, in bytes.
    package static let maximumLength = 16_384

    /// The header.
    package let header: JSONObject
    /// The signed bytes.
    package let signed: [UInt8]
    /// The signature.
    package let signature: [UInt8]
    private let encodedPayload: [UInt8]

    /// Parses a token, or returns `nil` for any other text.
    ///
    /// `crit` names extensions that a recipient must refuse if it does not know them (section 4.1.11). Mortise knows
    /// none.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.maximumLength else { return nil }
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Base64URL.decode(parts[0]).flatMap(Self.object), header["crit"] == nil,
            let signature = Base64URL.decode(parts[2]), !signature.isEmpty
        else { return nil }
        self.header = header
        self.signature = signature
        encodedPayload = Array(parts[1])
        signed = Array(parts[0]) + [UInt8(ascii: ".")] + encodedPayload
    }

    /// The algorithm that the header names.
    var algorithm: String? { header["alg"]?.string }
    /// The key that the header names.
    var keyID: String? { header["kid"]?.string }

    /// The claims, or `nil` if they are not strict JSON, which cannot be read in two ways.
    package var claims: JSONObject? { Base64URL.decode(encodedPayload).flatMap(Self.object) }

    private static func object(_ bytes: [UInt8]) -> JSONObject? {
        guard let value = try? JSONValue(parsing: bytes), case .object(let object) = value else { return nil }
        return object
    }
}

/// Base64 with the URL-safe alphabet and without padding (RFC 4648 section 5).
enum Base64URL {
    static func encode(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// Returns the bytes that a canonical text encodes, or `nil` for any other text.
    static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        let isAlphabet = text.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
            default: false
            }
        }
        guard isAlphabet else { return nil }
        var standard = text.map { byte in
            switch byte {
            case 0x2D: UInt8(ascii: "+")
            case 0x5F: UInt8(ascii: "/")
            default: byte
            }
        }
        while standard.count % 4 != 0 { standard.append(UInt8(ascii: "=")) }
        guard let data = Data(base64Encoded: Data(standard)) else { return nil }
        let bytes = Array(data)
        return Self.encode(bytes).utf8.elementsEqual(text) ? bytes : nil
    }
}
