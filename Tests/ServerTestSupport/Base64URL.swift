import FoundationEssentials
package import JSON

/// The encoding of a JWT's parts (RFC 7515, section 2): base64url without padding.
package enum Base64URL {
    /// Encodes bytes.
    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// Encodes the text of a JSON value.
    package static func encode(_ value: JSONValue) -> String { encode(value.text.utf8) }
}
