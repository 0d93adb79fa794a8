import Keys

extension FuzzTarget {
    static func checkSecrets(_ input: UnsafeBufferPointer<UInt8>) throws(BrokenProperty) {
        let text = input.text
        switch parse(text) {
        case .success(let file):
            let again = try? SecretsFile(parsing: file.reveal())
            try require(again?.reveal() == file.reveal(), "a file is read back as it was written")
            try require("\(file)" == "SecretsFile(redacted)", "a file does not print")
        case .failure(let fault):
            if let line = fault.line {
                let lines = text.utf8.reduce(1) { $0 + ($1 == 0x0A ? 1 : 0) }
                try require((1...lines).contains(line), "a line lies in the file")
            }
            for word in text.split(whereSeparator: \.isWhitespace) where word.utf8.count >= 64 {
                try require(!"\(fault)".contains(word), "a fault repeats no secret")
            }
        }
    }

    private static func parse(_ text: String) -> Result<SecretsFile, SecretsFileFault> {
        do throws(SecretsFileFault) {
            return .success(try SecretsFile(parsing: text))
        } catch {
            return .failure(error)
        }
    }
}
