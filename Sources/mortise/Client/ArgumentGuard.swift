/// Keeps tokens out of the process list.
package enum ArgumentGuard {
    /// Throws if an argument holds a token.
    ///
    /// The message does not quote it.
    ///
    /// The process list and the history of the shell have the token by then, so the message says to revoke it.
    package static func check(_ arguments: some Sequence<String>) throws(CommandFailure) {
        guard arguments.contains(where: holdsToken) else { return }
        throw .usage(
            "The arguments contain a token.",
            details: [
                "Other users of this machine can see it in the process list, and the shell's history keeps it: revoke it.",
                "Pass tokens in a file, on standard input, in MORTISE_TOKEN, or at the prompt.",
            ]
        )
    }

    /// Returns true if the text contains `_live_` or `_test_` followed by 46 characters of base62.
    private static func holdsToken(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count > markLength + bodyLength else { return false }
        for start in 1...(bytes.count - markLength - bodyLength) where bytes[start] == UInt8(ascii: "_") {
            let mark = bytes[start..<start + markLength]
            let body = bytes[start + markLength..<start + markLength + bodyLength]
            if mark.elementsEqual("_live_".utf8) || mark.elementsEqual("_test_".utf8), body.allSatisfy(isBase62) {
                return true
            }
        }
        return false
    }

    private static let markLength = 6
    private static let bodyLength = 46

    private static func isBase62(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }
}
