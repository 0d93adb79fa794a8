import ArgumentParser
import MortiseClient

/// The metadata of a key.
struct MetadataOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A JSON object of at most 16 KiB. It must not hold secrets, because ps shows arguments.",
            valueName: "json"
        )
    )
    var metadata: String?

    @Option(help: ArgumentHelp("A file with the JSON object; - is standard input.", valueName: "path"))
    var metadataFile: InputFile?

    func validate() throws {
        guard metadata == nil || metadataFile == nil else {
            throw ValidationError("Use --metadata or --metadata-file, not both.")
        }
    }

    /// Reads the metadata from the option or the file.
    ///
    /// `nil` if neither was given.
    func read() async throws -> [String: JSONContent]? {
        // The server refuses a larger body.
        let limit = 64 * 1024
        let bytes: [UInt8]
        let source: String
        if let metadata {
            bytes = Array(metadata.utf8)
            source = "--metadata"
        } else if let metadataFile {
            bytes = try await metadataFile.read(limit: limit, option: "--metadata-file")
            source = metadataFile.name
        } else {
            return nil
        }
        return try JSONInput(bytes, limit: limit, source: source).members()
    }
}
