import Endpoints
import HTTPTypes
import NIOCore

/// A table of texts as comma-separated values (RFC 4180).
struct CSV {
    private var text: String

    /// The length of the file.
    var byteCount: Int { text.utf8.count }

    /// Creates a table with a row of names.
    init(_ names: [String]) {
        // Spreadsheets read UTF-8 only after this mark.
        text = "\u{FEFF}"
        append(names)
    }

    /// Adds a row.
    mutating func append(_ cells: [String]) { text += cells.map(Self.cell).joined(separator: ",") + "\r\n" }

    /// Returns a cell in quotation marks.
    ///
    /// A spreadsheet would calculate a text that begins like a formula, and a formula can send the table away. An apostrophe makes it a
    /// text.
    private static func cell(_ text: String) -> String {
        let isFormula = text.unicodeScalars.first.map { "=+-@\t\r\n".unicodeScalars.contains($0) } ?? false
        return "\"\(isFormula ? "'" : "")\(text.replacing("\"", with: "\"\""))\""
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
