/// One line of a secrets file.
struct SecretLine: Redacted {
    let kind: SecretKind
    let id: SecretID
    let secret: SecretBytes

    /// Returns the text of the line, secret included.
    func reveal() -> String { "\(kind.rawValue) \(id) \(Hex.encode(secret.bytes))" }

    /// Returns the secrets of a whole file in their order.
    ///
    /// No secret appears twice.
    static func parse(_ text: String) throws(SecretsFileFault) -> [SecretLine] {
        var lines: [SecretLine] = []
        // Lines are split by bytes: as a Character, "\r\n" is one element and equal to neither of the two.
        for (index, raw) in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let words = raw.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
            guard let first = words.first, first.first != 0x23 else { continue }
            let line: SecretLine
            do throws(SecretsFileFault.Reason) {
                line = try SecretLine(words)
                try line.requireUnique(among: lines)
            } catch {
                throw SecretsFileFault(line: index + 1, reason: error)
            }
            lines.append(line)
        }
        return lines
    }

    init(kind: SecretKind, id: SecretID, secret: SecretBytes) {
        self.kind = kind
        self.id = id
        self.secret = secret
    }

    private init(_ words: [Substring.UTF8View]) throws(SecretsFileFault.Reason) {
        guard words.count == 3 else { throw .notThreeWords }
        guard let kind = SecretKind(rawValue: String(Substring(words[0]))) else { throw .unknownKind }
        guard let id = SecretID(String(Substring(words[1]))) else { throw .badID }
        guard let bytes = Hex.decode(words[2]) else { throw .notHexadecimal }
        guard bytes.count >= SecretBytes.lengths.lowerBound else { throw .tooShort }
        guard let secret = SecretBytes(bytes) else { throw .tooLong }
        self.init(kind: kind, id: id, secret: secret)
    }

    /// Throws if an earlier line has the same kind and id, or the same secret.
    private func requireUnique(among earlier: [SecretLine]) throws(SecretsFileFault.Reason) {
        for line in earlier {
            if line.kind == kind, line.id == id { throw .duplicateID }
            if line.secret.bytes == secret.bytes { throw .duplicateSecret }
        }
    }
}
