import ArgumentParser
import JSON
import MortiseClient

/// Verifies the tokens of a file.
struct VerifyBatch {
    let path: String
    let question: VerifyQuestion
    let output: VerifyOutput

    /// What `POST /v1/verify/batch` takes at once.
    private static let size = 100
    /// A hundred thousand tokens and more; they are held in memory.
    private static let fileLimit = 16 * 1024 * 1024

    private struct Question {
        let line: Int
        let body: JSONObject
    }

    /// Asks about all of them; whether all are valid.
    func run(_ connection: ConnectionOptions) async throws -> Bool {
        let questions = try await questions()
        return try await connection.withClient { client in
            var table: Table?
            var isValid = true
            for start in stride(from: 0, to: questions.count, by: VerifyBatch.size) {
                let part = questions[start..<min(start + VerifyBatch.size, questions.count)]
                let verdicts = try await ask(part, client)
                isValid = isValid && verdicts.allSatisfy { $0["valid"]?.bool == true }
                try show(part, verdicts, &table)
            }
            return isValid
        }
    }

    private func ask(_ questions: ArraySlice<Question>, _ client: CommandClient) async throws -> [JSONValue] {
        var body = JSONObject()
        body["requests"] = .array(questions.map { .object($0.body) })
        let answer = try await client.send(.post(["v1", "verify", "batch"], body))
        guard let verdicts = answer?["verdicts"]?.array, verdicts.count == questions.count else {
            throw CommandFailure(.unreachable, "The server did not answer with one verdict for each token.")
        }
        return verdicts
    }

    private func show(_ questions: ArraySlice<Question>, _ verdicts: [JSONValue], _ table: inout Table?) throws {
        if output.quiet { return }
        if output.json {
            for verdict in verdicts { try Output.line(verdict.text) }
            return
        }
        let rows = zip(questions, verdicts)
            .map { question, verdict in
                [
                    "\(question.line)", Wording.text(verdict["code"]), Wording.text(verdict["key"]?["id"]),
                    Wording.text(verdict["key"]?["name"]),
                ]
            }
        let columns = [Column("LINE"), Column("VERDICT"), Column("KEY"), Column("NAME", minimum: 12)]
        let layout = table ?? Table(columns, rows: rows, width: Terminal.outputWidth)
        if table == nil { try Output.line(layout.header) }
        table = layout
        for row in rows { try Output.line(layout.line(row)) }
    }

    /// Reads the file before anything is sent, so that a fault in its last line stops all of it.
    private func questions() async throws -> [Question] {
        let text: String
        do {
            text = String(decoding: try await FileAccess.read(path, limit: VerifyBatch.fileLimit), as: UTF8.self)
        } catch let fault as FileAccess.Fault {
            throw CommandFailure.usage("The tokens cannot be read from \(path): \(fault.reason).")
        }
        var questions: [Question] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = String(line).trimmingBlanks
            if !line.isEmpty { questions.append(Question(line: index + 1, body: try body(line, at: index + 1))) }
        }
        guard !questions.isEmpty else { throw CommandFailure.usage("\(path) holds no token.") }
        return questions
    }

    private func body(_ line: String, at number: Int) throws -> JSONObject {
        guard line.hasPrefix("{") else {
            return question.body(try Credential.checked(line, from: "Line \(number) of \(path)"))
        }
        guard let object = try? JSONValue(parsing: Array(line.utf8)).object else {
            throw CommandFailure.usage("Line \(number) of \(path) is neither a token nor a JSON object.")
        }
        guard let token = object["token"]?.string else {
            throw CommandFailure.usage("Line \(number) of \(path) is a JSON object without a \"token\".")
        }
        // What the line says wins over what the options say of all lines.
        var body = question.body(SecretText(token))
        for member in object.members { body[member.name] = member.value }
        return body
    }
}
