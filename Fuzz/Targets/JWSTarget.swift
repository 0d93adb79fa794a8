import JSON
import Service

extension FuzzTarget {
    static func checkJWS(_ input: UnsafeBufferPointer<UInt8>) throws(BrokenProperty) {
        let text = input.text
        guard let token = CompactJWS(text) else { return }
        try require(text.utf8.count <= CompactJWS.maximumLength, "the length of a token is bounded")
        try require(token.header["crit"] == nil, "no unknown extension is critical")
        try require(!token.signature.isEmpty, "a token has a signature")
        let signature = base64URL(token.signature)
        let written = token.signed + Array(".\(signature)".utf8)
        try require(text.utf8.elementsEqual(written), "the signed bytes and the signature are the whole token")
        for rest in ["=", ".", " ", "\n"] {
            try require(CompactJWS(text + rest) == nil, "nothing may stand behind a token")
        }
        let header = base64URL(Array(JSONValue.object(token.header).text.utf8))
        let payload = String(decoding: token.signed.drop { $0 != 0x2E }, as: UTF8.self)
        let again = try unwrap(CompactJWS("\(header)\(payload).\(signature)"), "a written token is read")
        try require(again.header == token.header, "a written header is read back")
        try require(again.claims == token.claims, "claims do not depend on the header")
    }

    /// Returns the text of bytes in base64 with the URL-safe alphabet and without padding, computed bit by bit.
    private static func base64URL(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var text: [UInt8] = []
        var bits = 0
        var count = 0
        for byte in bytes {
            bits = bits << 8 | Int(byte)
            count += 8
            while count >= 6 {
                count -= 6
                text.append(alphabet[bits >> count & 63])
            }
            bits &= 1 << count - 1
        }
        if count > 0 { text.append(alphabet[bits << (6 - count) & 63]) }
        return String(decoding: text, as: UTF8.self)
    }
}
