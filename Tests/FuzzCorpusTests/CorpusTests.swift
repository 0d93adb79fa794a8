import Foundation
import FuzzTargets
import Testing

/// Tests that check the inputs that the fuzzer found, so that a parser cannot lose what a fuzzer once proved.
@Suite struct CorpusTests {
    /// The folder of the corpora, one folder for each target.
    private static let corpora = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fuzz/Corpus")

    @Test(arguments: FuzzTarget.allCases)
    func `every input of the corpus has the properties of its target`(target: FuzzTarget) throws {
        let folder = Self.corpora.appending(path: target.rawValue)
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(files.count >= 10, "the corpus is nearly empty")
        for file in files {
            let input = try Array(Data(contentsOf: file))
            #expect(throws: Never.self, "\(file.lastPathComponent)") {
                try input.withUnsafeBufferPointer { try target.check($0) }
            }
        }
    }

    @Test func `every corpus has a target`() throws {
        let folders = try FileManager.default.contentsOfDirectory(at: Self.corpora, includingPropertiesForKeys: nil)
        let names = Set(folders.map(\.lastPathComponent))
        #expect(names == Set(FuzzTarget.allCases.map(\.rawValue)))
    }
}
