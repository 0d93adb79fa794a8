import Endpoints
import HTTPTypes
import NIOCore

/// A table of texts as comma-separated values (RFC 4180).
struct CSV {
    private var text: String
    private let columns: Int

    /// The length of the file.
    var byteCount: Int { text.utf8.count }

    /// Creates a table with a row of names.
    init(_ names: [String]) {
        // Spreadsheets read UTF-8 only after this mark.
        text = "\u{FEFF}"
        columns = names.count
        append(names)
    }

    /// Adds a row.
    mutating func append(_ cells: [String]) { text += cells.map(Self.cell).joined(separator: ",") + "\r\n" }

    /// Adds a last row, which says that the list has more rows than the file.
    ///
    /// A browser shows nothing of an answer that it saves, so only the file itself can say it.
    mutating func appendCut(after rows: Int) {
        let note = "Only the first \(NumberText.grouped(rows)) rows are in this file. Filter the list for the others."
        append([note] + Array(repeating: "", count: columns - 1))
    }

    /// Returns a cell in quotation marks.
    ///
    /// A spreadsheet would calculate a text that begins like a formula, and a formula can send the table away. An apostrophe makes it a
    /// text.
    private static func cell(_ text: String) -> String {
        let isFormula = text.unicodeScalars.first.map { "=+-@\t\r\n".unicodeScalars.contains($0) } ?? false
        // By scalars: a quotation mark before U+0301 is a part of another character.
        let quoted = String(String.UnicodeScalarView(text.unicodeScalars.flatMap { $0 == "\"" ? [$0, $0] : [$0] }))
        return "\"\(isFormula ? "'" : "")\(quoted)\""
    }

    /// Returns an answer that browsers save as a file.
    func response(_ name: String) -> EndpointResponse {
        EndpointResponse(
            .ok,
            body: ByteBuffer(string: text),
            mediaType: "text/csv; charset=utf-8",
            headers: [.contentDisposition: "attachment; filename=\"\(name).csv\""]
        )
    }
}
