// Creates a token and reads it back, without a database.

import Keys

// snippet.make
var generator = SystemRandomNumberGenerator()
let workspace = WorkspaceRef.random(using: &generator)
let token = Token.make(prefix: .service, mode: .live, workspace: workspace, using: &generator)

// A token does not print. The response that hands it out reveals it.
print(token)
print(token.reveal())
// snippet.end

// snippet.read
do throws(TokenFault) {
    let presented = try Token(token.reveal())
    print("workspace \(presented.parsed.workspaceRef), shown as \(presented.parsed.displayPrefix)")
} catch {
    // The fault says what is wrong and repeats nothing of the text.
    print(error)
}
// snippet.end
