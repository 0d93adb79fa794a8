import JSON
import MortiseClient

/// The tokens of a file, which are verified many at a time.
struct VerifyBatch {
    private let lines: [VerifyBatchLine]

    /// The most that `POST /v1/verify/batch` takes.
    private static let size = 100
    /// Enough for more than 100,000 tokens, which are held in memory.
    private static let fileLimit = 16 * 1024 * 1024

    private static let columns = [
        TableColumn<(VerifyBatchLine, Mortise.Verdict)>("LINE") { "\($0.0.number)" },
        TableColumn("VERDICT", style: Style.of(status:)) { $0.1.code.rawValue },
        TableColumn("KEY") { DisplayText.optional($0.1.key?.id) },
        TableColumn("NAME", minimum: 12) { DisplayText.optional($0.1.key?.name) },
    ]

    /// Reads the whole file before anything is sent, so that a fault in the last line stops all of it.
    ///
    /// - Throws: `CommandFailure` of kind `usage`, which names the line and does not quote it.
    init(_ file: InputFile, _ conditions: VerifyConditions) async throws {
        let bytes = try await file.read(limit: Self.fileLimit, option: "--batch")
        var lines: [VerifyBatchLine] = []
        let texts = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        for (index, text) in texts.enumerated() {
            let text = String(text).trimmingBlanks
            guard !text.isEmpty else { continue }
            lines.append(try VerifyBatchLine(text, number: index + 1, of: file, conditions))
        }
        guard !lines.isEmpty else { throw CommandFailure.usage("\(file.name) holds no token.") }
        self.lines = lines
    }

    /// Verifies the tokens and prints the verdicts.
    ///
    /// Returns true if all tokens are valid.
    func run(_ client: ServerClient, _ format: OutputFormat) async throws -> Bool {
        var table = TablePrinter(Self.columns)
        var isValid = true
        for start in stride(from: 0, to: lines.count, by: Self.size) {
            let part = lines[start..<min(start + Self.size, lines.count)]
            let verifications = part.map(\.verification)
            let request = Request { client throws(MortiseError) in try await client.verify(verifications) }
            let answer = try await client.answer(to: request)
            isValid = isValid && answer.value.allSatisfy(\.isValid)
            switch format {
            case .text: try table.print(Array(zip(part, answer.value)))
            case .json: for verdict in answer.json["verdicts"]?.array ?? [] { try Output.line(verdict.outputText) }
            case .quiet: break
            }
        }
        return isValid
    }
}
